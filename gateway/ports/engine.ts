import type { NodeReadiness, Priority } from "../../gpu-node/protocol";

/** The routes of a GPU node that a gateway forwards to. */
type EngineRoute = "/v1/chat/completions" | "/v1/completions" | "/v1/embeddings" | "/tokenize";

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
  /** Aborting resets the HTTP/2 stream, which frees the node's slot. */
  signal: AbortSignal;
  traceparent?: string;
}

export interface EngineReply {
  /** Id of the node that answers. */
  node: string;
  modelRevision: string;
  /** The node's engine and version. */
  engine: string;
  /** Number of retries before this reply. */
  retries: number;
  /** Milliseconds spent waiting for a slot on the node. */
  queueMs: number;
  /**
   * The answer as it arrives: with `stream`, each piece has complete SSE frames and the last one ends with
   * `data: [DONE]\n\n`; otherwise pieces of one JSON document. Ends normally only if the answer is complete; throws
   * AppError (upstream_error, deadline_exceeded, or the node's error) if it is incomplete.
   */
  body: AsyncIterable<Uint8Array>;
}

/** The state of a node from its probe, its streams and its breaker. */
export interface NodeView {
  id: string;
  url: string;
  /** down: unreachable, or its engine failed permanently (`lastError`). ejected: the breaker is open. The node reports the other states, or its streams show them. */
  state: "ready" | "loading" | "busy" | "stuck" | "draining" | "ejected" | "down";
  since: Date;
  /** This gateway's active requests on the node. */
  outstanding: number;
  latencyMs?: number;
  readiness?: NodeReadiness;
  lastError?: string;
  /** An admin has taken it out of service in this gateway. */
  isDrained: boolean;
}

/** Generation and embedding on any number of nodes. */
export interface Engine {
  /** Connects in the background. It is not an error if a node isn't running yet. */
  open(): Promise<void>;
  /**
   * Resolves at the node's first byte. Before that, failures are retried on another node, or once on the same one. Throws
   * AppError: model_not_found, overloaded (with retryAfterMs), unavailable, model_loading, deadline_exceeded,
   * upstream_error, client_closed, or the node's own error with source "node".
   */
  request(request: EngineRequest): Promise<EngineReply>;
  nodes(): NodeView[];
  /** Takes a node out of service or back in. It gets no new requests; active ones finish. Ignores an unknown id. */
  drain(node: string, isDrained: boolean): void;
  /** Waits up to `graceMs` for running streams, then resets them. */
  close(graceMs: number): Promise<void>;
}
