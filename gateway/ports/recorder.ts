import type { ErrorKind } from "../../lib/errors";
import type { CacheReport } from "../contract";

/**
 * One finished HTTP request. `route` is the pattern ("/v1/keys/:id") or "unmatched", never the path, so that the number
 * of labels stays small.
 */
export interface RequestSample {
  method: string;
  route: string;
  status: number;
  durationMs: number;
  errorKind?: ErrorKind;
}

/** One finished generation, cached or not. Times are in milliseconds from arrival at the gateway. */
export interface GenerationSample {
  operation: "chat" | "completion" | "embedding" | "rerank";
  /** The key that it counts towards. worker: a jobs worker requested it, for an evaluation run or a document. */
  caller: { keyId: string; via: "key" | "session" | "worker" };
  model: string;
  node?: string;
  stream: boolean;
  cache: CacheReport;
  /** From arrival until the cache hit or the request to the node: the gateway's overhead. */
  gatewayMs?: number;
  queueMs: number;
  ttftMs: number;
  totalMs: number;
  promptTokens: number;
  completionTokens: number;
  errorKind?: ErrorKind;
  /** Attempts at a node before this reply, in addition to the first; undefined if none was needed or known. */
  retries?: number;
}

/** Whether the operation generates text, rather than only reading it. */
export const isAnswer = (operation: GenerationSample["operation"]): boolean =>
  operation === "chat" || operation === "completion";

/** The model calls of one request, added up. */
export interface RequestWork extends GenerationSample {
  /** undefined: one. */
  calls?: number;
}

/** Receives a request's model calls, for its line in the request log. */
export interface WorkReport {
  /** The model of the request's last call, which may have failed before it began. */
  model: string | undefined;
  generated(sample: GenerationSample): void;
}

/** The bodies of a request whose key logs them. */
export interface LoggedBodies {
  prompt: string;
  answer: string;
  /** Whether either was truncated. */
  isCut: boolean;
}

/** A finished request, with everything that the request log stores about it. */
export interface FinishedRequest extends RequestSample {
  requestId: string;
  url: string;
  keyId: string | undefined;
  via: GenerationSample["caller"]["via"] | undefined;
  model: string | undefined;
  work: RequestWork | undefined;
  bodies: LoggedBodies | undefined;
}

/**
 * Combines a call with the request's earlier calls. A chat's model and stages take precedence over those of an
 * embedding or a ranking.
 */
export const addWork = (work: RequestWork | undefined, sample: GenerationSample): RequestWork => {
  // Most requests make one call, and need no object of their own.
  if (work === undefined) return sample;
  const leading = !isAnswer(sample.operation) ? work : { ...sample, gatewayMs: work.gatewayMs };
  return {
    ...leading,
    calls: (work.calls ?? 1) + 1,
    queueMs: work.queueMs + sample.queueMs,
    promptTokens: work.promptTokens + sample.promptTokens,
    completionTokens: work.completionTokens + sample.completionTokens,
    retries: (work.retries ?? 0) + (sample.retries ?? 0),
  };
};

/** Receives measurements from the request path: two calls per request, both synchronous and cheap. */
export interface Recorder {
  request(sample: RequestSample): void;
  generation(sample: GenerationSample): void;
}

/** Receives every finished request. Synchronous and cheap. */
export interface RequestLogger {
  add(request: FinishedRequest): void;
  /** Replaces the request's line, after model calls that ended later than the request. */
  replace(request: FinishedRequest): void;
}
