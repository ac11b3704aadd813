import type { ErrorKind } from "../../lib/errors";
import type { CacheReport } from "../contract";

/** One finished HTTP request. `route` is the pattern ("/v1/keys/:id"), never the path, and "unmatched" without one: labels stay bounded. */
export interface RequestSample {
  method: string;
  route: string;
  status: number;
  durationMs: number;
  errorKind?: ErrorKind;
}

/** One finished generation, cached or not. Times in milliseconds from arrival at the gateway. */
export interface GenerationSample {
  operation: "chat" | "completion" | "embedding";
  model: string;
  node?: string;
  stream: boolean;
  cache: CacheReport;
  /** From arrival until the request to the node or the cache hit: the time that the gateway added. */
  gatewayMs?: number;
  queueMs: number;
  ttftMs: number;
  totalMs: number;
  promptTokens: number;
  completionTokens: number;
  errorKind?: ErrorKind;
}

/** Where the request path reports to: two calls per request, both synchronous and cheap. */
export interface Recorder {
  request(sample: RequestSample): void;
  generation(sample: GenerationSample): void;
}
