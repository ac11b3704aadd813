import { Type } from "@sinclair/typebox";

/**
 * What travels between a gateway and a GPU node: OpenAI's wire format over HTTP/2 and the headers below.
 * The gateway imports this file and nothing else of the node.
 */

/** The numbers that control sampling, with the values that gateway and node accept. */
export const SAMPLING = {
  temperature: Type.Number({ minimum: 0, maximum: 2 }),
  top_p: Type.Number({ minimum: 0, maximum: 1 }),
  top_k: Type.Integer({ minimum: 0, maximum: 1000 }),
  min_p: Type.Number({ minimum: 0, maximum: 1 }),
  repetition_penalty: Type.Number({ minimum: 0.1, maximum: 2 }),
  seed: Type.Integer({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER }),
  presence_penalty: Type.Number({ minimum: -2, maximum: 2 }),
  frequency_penalty: Type.Number({ minimum: -2, maximum: 2 }),
};

/** Length of an answer in tokens. */
export const MaxTokens = Type.Integer({ minimum: 1, maximum: 1_000_000 });

/** Texts that end an answer. */
export const StopList = Type.Array(Type.String({ minLength: 1 }), { maxItems: 4 });

/** Alternatives per token: `top_logprobs` of a chat, `logprobs` of a completion. */
export const TopLogprobs = {
  chat: Type.Integer({ minimum: 0, maximum: 20 }),
  completion: Type.Integer({ minimum: 0, maximum: 5 }),
};

/** Request headers that the gateway sets on a generation. All are optional: any OpenAI client can call a node. */
export const REQUEST_HEADERS = {
  requestId: "x-request-id",
  /** "interactive" (default) or "batch": batch work takes a slot only when no interactive request waits. */
  priority: "x-priority",
  /** Milliseconds from arrival in which the whole answer has to be there; expired work is dropped before it runs. */
  deadlineMs: "x-deadline-ms",
  /** Milliseconds that the request may wait for a slot; after that it is refused with 429. */
  queueTimeoutMs: "x-queue-timeout-ms",
  /** Opaque name of the caller: waiting callers take turns. */
  fairKey: "x-fair-key",
  traceparent: "traceparent",
} as const;

/** Response headers that the node adds. Headers leave with the first token, so a refusal always has its own status. */
export const RESPONSE_HEADERS = {
  /** Milliseconds spent waiting for a slot. */
  queueMs: "x-queue-ms",
  /** Revision of the model that answers: the first 12 hex digits of its file's sha256, or what the engine reports. */
  modelRevision: "x-model-revision",
  /** "llama node-llama-cpp/3.22.1", "openai http://127.0.0.1:8000", "synthetic". */
  engine: "x-engine",
  retryAfterMs: "retry-after-ms",
} as const;

export type Priority = "interactive" | "batch";

/** The node's measurement of one generation; `timings` of the frame that carries `usage`, and of a whole answer. */
export interface Timings {
  queue_ms: number;
  /** From admission to the first token. */
  prefill_ms: number;
  /** From arrival to the first token. */
  ttft_ms: number;
  total_ms: number;
  /** Prompt tokens found in the slot's KV cache and not computed again. */
  cached_tokens: number;
}

/**
 * Body of `POST /v1/embeddings`, OpenAI's with what a cache and a meter need besides: the tokens of each input, and the
 * node's measurement. `usage` is their sum.
 */
export interface EmbeddingAnswer {
  object: "list";
  data: { object: "embedding"; index: number; embedding: number[] | string; tokens: number }[];
  model: string;
  usage: { prompt_tokens: number; total_tokens: number };
  timings: Pick<Timings, "queue_ms" | "total_ms">;
}

/**
 * loading: no model yet. ready. draining: finishes what runs, takes nothing new. stuck: work runs, no token comes; it may
 * recover. failed: the engine can't go on until the process is restarted.
 */
export type NodeState = "loading" | "ready" | "draining" | "stuck" | "failed";

/** Body of `GET /readyz`: 200 when ready, else 503. */
export interface NodeReadiness {
  state: NodeState;
  /** Why it failed, and what to do. */
  reason?: string;
  engine: string;
  /** True for the synthetic engine, which has no model. */
  synthetic: boolean;
  version: string;
  /** 0…1 while loading. */
  progress?: number;
  models: NodeModel[];
  slots: { total: number; running: number };
  queue: { depth: number; capacity: number };
  /** The same two for embeddings; left out by a node that makes none. */
  embeddings?: { slots: { total: number; running: number }; queue: { depth: number; capacity: number } };
  /** Milliseconds since a token came out, while work runs. */
  last_token_ms?: number;
}

export interface NodeModel {
  id: string;
  kind: "chat" | "embedding";
  revision: string;
  /** Tokens of prompt and answer together, or of one text to embed. */
  context_window: number;
  /** Length of the vectors of an embedding model. */
  dimensions?: number;
  /** Of a chat model whose engine knows: what applies where a request leaves it out. */
  sampling?: { temperature: number; top_p: number; top_k: number; repetition_penalty: number };
}
