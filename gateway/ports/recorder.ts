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
  operation: "chat" | "completion" | "embedding";
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
}

/** Receives measurements from the request path: two calls per request, both synchronous and cheap. */
export interface Recorder {
  request(sample: RequestSample): void;
  generation(sample: GenerationSample): void;
}
