import type { NodeReadiness, Priority } from "../../gpu-node/protocol";
import type { AppError } from "../../lib/errors";

/** The node routes that a gateway forwards to. */
type EngineRoute = "/v1/chat/completions" | "/v1/completions" | "/v1/embeddings" | "/v1/rerank" | "/tokenize";

export interface EngineRequest {
  route: EngineRoute;
  /** The requested model, which determines the possible nodes. */
  model: string;
  /** JSON in OpenAI's format, sent to the node unchanged. */
  body: string;
  /** Whether `body` asks for Server-Sent Events. */
  stream: boolean;
  requestId: string;
  /** Identifies the caller for fair queueing; never a secret. */
  fairKey: string;
  priority: Priority;
  /** Remaining time for the complete answer, in milliseconds. */
  deadlineMs: number;
  /** Whether the caller chose the deadline. If the answer misses it, that is not the node's fault. */
  hasOwnDeadline?: boolean;
  /** Models that answer instead, in this order, if no node answers with `model`; `bodyFor` is the body for one of them. */
  fallbacks?: { models: readonly string[]; bodyFor(model: string): string };
  /** Aborting resets the HTTP/2 stream, which frees the node's slot. */
  signal: AbortSignal;
  traceparent?: string;
}

export interface EngineReply {
  /** Id of the answering node. */
  node: string;
  /** The model that answers instead of the requested one. */
  fallbackModel?: string;
  modelRevision: string;
  /** The node's engine and version. */
  engine: string;
  /** Number of failed attempts before this reply, with any model. */
  retries: number;
  /** Milliseconds spent waiting for a slot on the node. */
  queueMs: number;
  /**
   * The answer as it arrives. With `stream`, each piece contains complete SSE frames, and the last one ends with
   * `data: [DONE]\n\n`. Otherwise the pieces form one JSON document. Ends normally only if the answer is complete; if
   * it is not, throws AppError (upstream_error, deadline_exceeded, or the node's error).
   */
  body: AsyncIterable<Uint8Array>;
}

/** A node's state, from its probe, its streams and its breaker. */
export interface NodeView {
  id: string;
  url: string;
  /**
   * down: unreachable, or its engine failed permanently (`lastError`). ejected: the breaker is open. The other states
   * are reported by the node or follow from its streams.
   */
  state: "ready" | "loading" | "busy" | "stuck" | "draining" | "ejected" | "down";
  since: Date;
  /** This gateway's active requests on the node. */
  outstanding: number;
  latencyMs?: number;
  readiness?: NodeReadiness;
  lastError?: string;
  /** Whether an admin has drained it in this gateway. */
  isDrained: boolean;
}

/** The result of the smallest real request to one model of a node. */
export interface ModelCheck {
  model: string;
  latencyMs: number;
  /** undefined: it answered. */
  error?: AppError;
}

/** Generation and embedding on any number of nodes. */
export interface Engine {
  /** Connects in the background. A node that isn't running yet is not an error. */
  open(): Promise<void>;
  /**
   * Resolves at the node's first byte. Earlier failures are retried on another node, or once on the same one; then the
   * fallback models follow. Throws the error of the requested model:
   * AppError: model_not_found, overloaded (with retryAfterMs), unavailable, model_loading, deadline_exceeded,
   * upstream_error, client_closed, or the node's own error with source "node".
   */
  request(request: EngineRequest): Promise<EngineReply>;
  nodes(): NodeView[];
  /** Sends each model of a node the smallest request. Doesn't change the node's state. Empty for an unknown id. */
  check(node: string): Promise<ModelCheck[]>;
  /**
   * Drains a node or puts it back into service. A drained node gets no new requests; active ones finish. Ignores an
   * unknown id.
   */
  drain(node: string, isDrained: boolean): void;
  /** Waits up to `graceMs` for active streams, then resets them. */
  close(graceMs: number): Promise<void>;
}
