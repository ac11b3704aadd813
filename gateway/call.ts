import type { EngineRequest } from "./ports/engine";
import type { Principal } from "./principal";

/** A request's `cache-control` directives (RFC 9111 section 5.2.1), parsed. */
export interface CacheDirectives {
  noCache: boolean;
  noStore: boolean;
  onlyIfCached: boolean;
  /** Oldest acceptable answer in seconds. */
  maxAge?: number;
  /** `s-maxage`: seconds to keep the answer of this request, capped by the configured time. */
  keepSeconds?: number;
}

/** For a request without `cache-control`. */
export const NO_DIRECTIVES: CacheDirectives = Object.freeze({ noCache: false, noStore: false, onlyIfCached: false });

/** One call to a model: who makes it, and with which options. */
export interface Call {
  principal: Principal;
  requestId: string;
  /** Aborted when the caller disconnects, the key ends or the deadline passes. Created on first read. */
  readonly signal: AbortSignal;
  priority: EngineRequest["priority"];
  directives: CacheDirectives;
  /** `performance.now()` at arrival. */
  receivedAt: number;
  traceparent?: string;
}

/** A call without a signal, for work that outlives its request. */
export type Asking = Omit<Call, "signal">;
