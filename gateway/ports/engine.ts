import type { NodeReadiness, Priority } from "../../gpu-node/protocol";

/** The routes of a GPU node that a gateway forwards to. */
type EngineRoute = "/v1/chat/completions" | "/v1/completions" | "/v1/embeddings" | "/tokenize";

export interface EngineRequest {
  route: EngineRoute;
  /** The model that has to answer: picks the nodes that serve it. */
  model: string;
  /** JSON in OpenAI's format, as the node gets it. */
  body: string;
  /** True when `body` asks for Server-Sent Events. */
  stream: boolean;
  requestId: string;
  /** Names the caller for fair queueing; never a secret. */
  fairKey: string;
  priority: Priority;
  /** Milliseconds left for the whole answer. */
  deadlineMs: number;
  /** Aborting resets the HTTP/2 stream, which frees the node's slot. */
  signal: AbortSignal;
  traceparent?: string;
}

export interface EngineReply {
  /** Id of the node that answers. */
  node: string;
  modelRevision: string;
  /** The node's own engine and version. */
  engine: string;
  /** How often it was tried elsewhere, or again, before this reply. */
  retries: number;
  /** Milliseconds spent waiting for a slot on the node. */
  queueMs: number;
  /**
   * The answer as it comes: whole SSE frames per piece when `stream` was set (the last piece ends with
   * `data: [DONE]\n\n`), else pieces of one JSON document. Ends normally only when the answer is whole; throws
   * AppError (upstream_error, deadline_exceeded, or the node's own) when it breaks off.
   */
  body: AsyncIterable<Uint8Array>;
}

/** A node as the gateway sees it: its own probe, its streams and its breaker. */
export interface NodeView {
  id: string;
  url: string;
  /** down: not reachable, or its engine failed for good (`lastError`). ejected: the breaker is open. The others are the node's own words, or what its streams show. */
  state: "ready" | "loading" | "busy" | "stuck" | "draining" | "ejected" | "down";
  since: Date;
  /** Requests of this gateway that run there now. */
  outstanding: number;
  latencyMs?: number;
  readiness?: NodeReadiness;
  lastError?: string;
  /** An admin has taken it out of service in this gateway. */
  isDrained: boolean;
}

/** Generation and embedding on any number of nodes. */
export interface Engine {
  /** Connects in the background; a node that is not there yet is no error. */
  open(): Promise<void>;
  /**
   * Resolves with the node's first byte, having retried on another node (or once on the same) where nothing was sent.
   * Throws AppError: model_not_found, overloaded (with retryAfterMs), unavailable, model_loading, deadline_exceeded,
   * upstream_error, client_closed, or the node's own refusal with source "node".
   */
  request(request: EngineRequest): Promise<EngineReply>;
  nodes(): NodeView[];
  /** Takes a node out of service, or back in: it gets no new requests, what runs ends. An unknown id changes nothing. */
  drain(node: string, isDrained: boolean): void;
  /** Lets running streams end for at most `graceMs`, then resets them. */
  close(graceMs: number): Promise<void>;
}
