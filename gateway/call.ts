import type { EngineRequest } from "./ports/engine";
import type { Principal } from "./principal";

/** What a request says with `cache-control` (RFC 9111 section 5.2.1), parsed once. */
export interface CacheDirectives {
  noCache: boolean;
  noStore: boolean;
  onlyIfCached: boolean;
  /** Oldest acceptable answer in seconds. */
  maxAge?: number;
  /** `s-maxage`: how long the answer of this request is kept, in seconds, at most the configured time. */
  keepSeconds?: number;
}

/** For a request that says nothing about the cache. */
export const NO_DIRECTIVES: CacheDirectives = Object.freeze({ noCache: false, noStore: false, onlyIfCached: false });

/** Who asks a model for something, and how. */
export interface Call {
  principal: Principal;
  requestId: string;
  /** Aborted when the caller leaves. */
  signal: AbortSignal;
  priority: EngineRequest["priority"];
  directives: CacheDirectives;
  /** `performance.now()` at arrival. */
  receivedAt: number;
  traceparent?: string;
}
