import type { CacheDirectives } from "./cache/answers";
import type { EngineRequest } from "./ports/engine";
import type { Principal } from "./principal";

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
