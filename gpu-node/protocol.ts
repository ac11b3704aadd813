import { Type } from "@sinclair/typebox";

/**
 * The protocol between a gateway and a GPU node: OpenAI's wire format over HTTP/2, and the headers below.
 * The gateway imports only this file from the node.
 */

/** The numeric sampling parameters and the ranges that gateway and node accept. */
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

/** Maximum length of an answer in tokens. */
export const MaxTokens = Type.Integer({ minimum: 1, maximum: 1_000_000 });

/** Maximum number of answers per request, as in OpenAI's API; most models have a lower limit. */
export const MAX_CHOICES = 128;

/** Strings that end an answer. */
export const StopList = Type.Array(Type.String({ minLength: 1 }), { maxItems: 4 });

/** Number of alternatives per token: `top_logprobs` of a chat, `logprobs` of a completion. */
export const TopLogprobs = {
  chat: Type.Integer({ minimum: 0, maximum: 20 }),
  completion: Type.Integer({ minimum: 0, maximum: 5 }),
};

/** Request headers that the gateway sets on a generation. All are optional: any OpenAI client can call a node. */
export const REQUEST_HEADERS = {
  requestId: "x-request-id",
  /** "interactive" (default) or "batch": batch work gets a slot only if no interactive request is waiting. */
  priority: "x-priority",
  /** Milliseconds from arrival until the answer must be complete; expired requests are dropped before they run. */
  deadlineMs: "x-deadline-ms",
  /** Milliseconds that the request may wait for a slot; after that it gets a 429. */
  queueTimeoutMs: "x-queue-timeout-ms",
  /** Opaque name of the caller. Waiting callers take turns. */
  fairKey: "x-fair-key",
  traceparent: "traceparent",
} as const;

/** The node's response headers. They are sent with the first token, so that an earlier error has its own status. */
export const RESPONSE_HEADERS = {
  /** Milliseconds spent waiting for a slot. */
  queueMs: "x-queue-ms",
  /** `NodeModel.revision` of the model that answers. */
  modelRevision: "x-model-revision",
  /** "llama node-llama-cpp/3.22.1", "openai http://127.0.0.1:8000", "synthetic". */
  engine: "x-engine",
  retryAfterMs: "retry-after-ms",
} as const;

export type Priority = "interactive" | "batch";

/** The node's measurements of one generation: `timings` in the frame with `usage`, or in a non-streamed answer. */
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
 * Response of `POST /v1/embeddings`: OpenAI's, plus the tokens of each input and the node's measurements, which the
 * cache and the metrics need. `usage` is the sum of the tokens.
 */
export interface EmbeddingAnswer {
  object: "list";
  data: { object: "embedding"; index: number; embedding: number[] | string; tokens: number }[];
  model: string;
  usage: { prompt_tokens: number; total_tokens: number };
  timings: Pick<Timings, "queue_ms" | "total_ms">;
}

/**
 * Response of `POST /v1/rerank`, best document first. It has the format of Jina and Cohere, plus the tokens that the
 * model read for each document and the node's measurements. Scores are in 0…1.
 */
export interface RerankAnswer {
  model: string;
  results: { index: number; relevance_score: number; tokens: number }[];
  usage: { prompt_tokens: number; total_tokens: number };
  timings: Pick<Timings, "queue_ms" | "total_ms">;
}

/** Maximum number of documents per rerank request. */
export const MAX_DOCUMENTS = 2048;

/**
 * loading: no model yet. ready: accepts requests. draining: finishes running requests, accepts no new ones. stuck:
 * requests are running but produce no tokens; it may recover. failed: the engine can't work until the process restarts.
 */
export type NodeState = "loading" | "ready" | "draining" | "stuck" | "failed";

/** Body of `GET /readyz`: 200 when ready, else 503. */
export interface NodeReadiness {
  state: NodeState;
  /** Why the node failed, and what to do. */
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
  /** Slots and queue of the embedder and the reranker; omitted if the node has neither. */
  embeddings?: { slots: { total: number; running: number }; queue: { depth: number; capacity: number } };
  /** Milliseconds since the last token, while requests are running. */
  last_token_ms?: number;
  /** The timeouts of requests without `x-deadline-ms` or `x-queue-timeout-ms`; omitted by nodes of earlier versions. */
  timeouts?: { total_ms: number; queue_ms: number };
  machine?: NodeMachine;
}

interface MemoryUse {
  used_bytes: number;
  total_bytes: number;
}

/** The machine of a node. Another process may use part of its memory. */
export interface NodeMachine {
  cpu: string;
  /** Logical processors. */
  cores: number;
  memory: MemoryUse;
  /** Omitted if the embedded engine uses no GPU, or if the engine is another server. */
  gpu?: { names: string[]; memory: MemoryUse };
}

/** The prefixes that an embedding model was trained with: for questions, and for texts that answer them. */
export interface Prefixes {
  query: string;
  document: string;
}

/** What a model can do on the server that runs it. The gateway rejects chats and completions that need more. */
export interface ModelCapabilities {
  /** Answers `messages`. False: it only completes prompts, or embeds texts. */
  chat: boolean;
  /** Calls functions: `tools`, the role `tool`, and `tool_calls` in messages. */
  tools: boolean;
  /** Reads images in messages. */
  vision: boolean;
  /** Reads audio in messages. */
  audio_input: boolean;
  /** Accepts `reasoning_effort` and earlier reasoning, and returns its reasoning separately from the answer. */
  reasoning: boolean;
  /** Accepts `response_format` of type `json_schema` or `json_object`. */
  json_schema: boolean;
  logprobs: boolean;
  /** Maximum `n`; 1: one answer per request. */
  max_choices: number;
  /** Can shorten its vectors to the requested `dimensions`. */
  dimensions: boolean;
  /** Sorts documents by relevance to a query. */
  rerank: boolean;
  /** Maximum length of an answer in tokens; null for a model that generates no text. */
  max_output_tokens: number | null;
  /** Request fields that aren't part of the gateway's API and that the server accepts. */
  extra_fields: string[];
}

export interface NodeModel {
  id: string;
  kind: "chat" | "embedding" | "rerank";
  /**
   * The first 12 hex digits of its file's sha256, or what the engine reports. With prefixes: the first 12 digits of a
   * hash of both.
   */
  revision: string;
  /** Maximum tokens of a prompt with its answer, of one text to embed, or of a query with one document. */
  context_window: number;
  /** Length of the vectors of an embedding model. */
  dimensions?: number;
  /** For embedding models that need them. The gateway adds them; the node embeds each text as it is. */
  prefixes?: Prefixes;
  /** Defaults for parameters that a request omits; for chat models whose engine knows them. */
  sampling?: { temperature: number; top_p: number; top_k: number; repetition_penalty: number };
  /** Omitted by nodes of earlier versions. */
  capabilities?: ModelCapabilities;
}
