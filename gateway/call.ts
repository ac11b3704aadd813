import type { Span } from "../lib/tracing/tracer";
import type { EngineRequest } from "./ports/engine";
import type { WorkReport } from "./ports/recorder";
import type { Principal } from "./principal";

/** A request's `cache-control` directives (RFC 9111 section 5.2.1), parsed. */
export interface CacheDirectives {
  noCache: boolean;
  noStore: boolean;
  onlyIfCached: boolean;
  /** Maximum age of a stored answer, in seconds. */
  maxAge?: number;
  /** `s-maxage`: how long to store this request's answer, in seconds, up to the configured time. */
  keepSeconds?: number;
}

/** The directives of a request without `cache-control`. */
export const NO_DIRECTIVES: CacheDirectives = Object.freeze({ noCache: false, noStore: false, onlyIfCached: false });

/** One call to a model: the caller and the options. */
export interface Call {
  principal: Principal;
  requestId: string;
  /** Aborted when the caller disconnects, the key expires or is revoked, or the deadline passes. Created on first read. */
  readonly signal: AbortSignal;
  priority: EngineRequest["priority"];
  directives: CacheDirectives;
  /** `performance.now()` at arrival. */
  receivedAt: number;
  /** The caller's own deadline for the complete answer, in milliseconds from arrival. */
  deadlineMs?: number;
  traceparent?: string;
  /** The route's pattern, and the evaluation run, for the explanation of limits. */
  route?: string;
  runId?: string;
  /** Adds headers to the response, unless it has begun. */
  addHeaders?(headers: Record<string, string>): void;
  /** The request's line in the request log; undefined for work that has none. */
  report?: WorkReport;
  /**
   * Whether the answer may be shorter while the nodes are overloaded. Evaluations and jobs need exactly what they ask
   * for, so a call has to allow it.
   */
  mayShorten?: boolean;
  /** Whether a fallback model may answer; see `mayShorten`. */
  mayFallBack?: boolean;
}

/** The fields of an engine request that identify its caller, and the span in which it is sent. */
export const callerOf = ({ principal, requestId, priority, traceparent }: Asking, span?: Span) => ({
  requestId,
  fairKey: principal.keyId,
  priority,
  traceparent: span?.traceparent ?? traceparent,
});

/**
 * The time that a node has for a call: what is left of `totalMs`, or of the caller's own deadline if that is shorter.
 * The node then drops the request from its queue by itself.
 */
export const timeLeft = ({ receivedAt, deadlineMs }: Pick<Call, "receivedAt" | "deadlineMs">, totalMs: number) => {
  const elapsedMs = performance.now() - receivedAt;
  const hasOwnDeadline = deadlineMs !== undefined && deadlineMs < totalMs;
  return { deadlineMs: Math.max(1, (hasOwnDeadline ? deadlineMs : totalMs) - elapsedMs), hasOwnDeadline };
};

/** The same call as a part of `span`. */
export const callWithin = (call: Call, span: Span | undefined): Call => {
  if (!span) return call;
  return {
    ...call,
    traceparent: span.traceparent,
    // A method or getter of a class is not among the fields that are copied.
    addHeaders: (headers) => call.addHeaders?.(headers),
    get signal() {
      return call.signal;
    },
  };
};

/** A call without a signal, for work that outlives its request. */
export type Asking = Omit<Call, "signal">;
