import { AppError } from "../../lib/errors";
import type { NodeMachine, NodeModel, Priority } from "../protocol";

/** A chat or completion request with OpenAI's parameters. The server has validated only its streaming options. */
export interface Generation {
  operation: "chat" | "completion";
  /** The parsed body of the request. An engine that only forwards sends it unchanged. */
  body: Record<string, unknown>;
  /** An engine that schedules by itself lets batch answers wait for the first token of interactive ones. */
  priority: Priority;
  signal: AbortSignal;
  /** W3C trace context, for a server behind the node. */
  traceparent?: string;
}

/** A generation that the engine has validated, but not started. */
export interface AcceptedGeneration {
  model: NodeModel;
  /** Exact token count; undefined if only the server behind the node knows it. */
  promptTokens?: number;
  /** Whether the answer must be a function call. Its content is null, even if it is cut off before the call starts. */
  mustCall?: boolean;
  /**
   * Called at most once, when a slot is free. The last event is the only `end`. Aborting the signal stops the
   * generation within one token. Throws AppError.
   */
  start(): AsyncIterable<EngineEvent>;
}

export type EngineEvent =
  /**
   * A piece of text, in complete characters and without any part of a stop string. `calls` come after the text.
   * `tokens` is the number of tokens in the delta. Log probabilities are those of the text.
   */
  | {
      type: "delta";
      text: string;
      tokens: number;
      logprobs?: TokenLogprob[];
      /** Comes before the text. */
      reasoning?: string;
      calls?: CallDelta[];
    }
  /** A chunk (the JSON after `data: `) or complete answer from a server behind the node, forwarded unchanged. */
  | { type: "raw"; data: string }
  /** `frame` is the chunk with `usage` from a server behind the node, sent if the client requested usage. */
  | { type: "end"; finishReason: FinishReason; usage: EngineUsage; frame?: string };

/**
 * A piece of a function call. Only the first piece has the id and the name. The arguments of all pieces together are
 * JSON.
 */
export interface CallDelta {
  /** Index of the call in the answer. */
  index: number;
  id?: string;
  name?: string;
  arguments: string;
}

/** Why an answer ended. Embedded engines never report `content_filter`. */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

export interface EngineUsage {
  promptTokens: number;
  completionTokens: number;
  /** Prompt tokens that were already in the slot's KV cache. */
  cachedTokens: number;
  /** How many of the `completionTokens` are reasoning; undefined if the model doesn't reason. */
  reasoningTokens?: number;
}

export interface TokenLogprob {
  token: string;
  logprob: number;
  bytes: number[];
  top: { token: string; logprob: number; bytes: number[] }[];
}

/** Common interface of engines, embedders and rerankers. They own the models; the server owns HTTP, queue and slots. */
interface ModelOwner {
  /** Value of `x-engine`: "llama node-llama-cpp/3.22.1", "openai http://127.0.0.1:8000", "synthetic". */
  readonly name: string;
  /** Loads the models; `onProgress` receives 0…1. Throws an AppError that says what to do. */
  load(onProgress: (fraction: number) => void): Promise<void>;
  models(): NodeModel[];
  close(): Promise<void>;
}

/** Runs chat models. */
export interface NodeEngine extends ModelOwner {
  readonly synthetic: boolean;
  /** Maximum number of parallel generations. */
  readonly slots: number;
  /** Set when the engine can't work until the process is restarted. Omitted by engines that always recover. */
  failure?(): AppError | undefined;
  /** The GPUs that it uses, and their memory; undefined without a GPU. Omitted by engines that don't know. */
  gpu?(): NodeMachine["gpu"];
  /**
   * Checks a request before it waits for a slot; embedded engines use `readParameters`. Throws AppError:
   * invalid_request (naming a parameter that this engine does not support), model_not_found, context_length_exceeded.
   */
  accept(generation: Generation): Promise<AcceptedGeneration>;
  /** Token ids of a text, or of messages and functions formatted with the model's chat template. */
  tokenize(
    model: string | undefined,
    input: { text: string } | { messages: unknown[]; tools?: unknown },
  ): Promise<number[]>;
}

/** A request to embed or rank texts, before it waits for a slot. */
export interface TextRequest {
  /** The parsed body: in OpenAI's format for embeddings, and in the format of Jina, Cohere and vLLM for reranking. */
  body: Record<string, unknown>;
  priority: Priority;
  /** Opaque name of the caller. Callers take turns. */
  fairKey: string;
  signal: AbortSignal;
  /** Whether this node is generating answers. While it is, a model on the same CPU works only half of the time. */
  isAnswering(): boolean;
}

/** An embedding request that the embedder has validated, but not started. */
export interface AcceptedEmbeddings {
  model: NodeModel;
  /** Number of vectors. */
  inputs: number;
  /**
   * Called at most once, when a slot is free. Yields every input once, in order of completion. Aborting the signal or
   * stopping the iteration stops the work within one input. Throws AppError.
   */
  start(): AsyncIterable<Embedding>;
}

export interface Embedding {
  /** Index of the input in the request. */
  index: number;
  /** A vector of length 1. */
  vector: Float32Array;
  /** Tokens of the input, including those that the model adds. */
  tokens: number;
}

/** Runs embedding models. */
export interface Embedder extends ModelOwner {
  /**
   * Checks a request before it waits for a slot. Throws AppError: invalid_request (naming what is wrong),
   * model_not_found, context_length_exceeded (naming the input).
   */
  accept(request: TextRequest): Promise<AcceptedEmbeddings>;
  /** Token ids of a text as the model reads it, even if it is longer than the model's context. */
  tokenize(model: string | undefined, text: string): Promise<number[]>;
}

/** A rerank request that has been validated but not started. */
export interface AcceptedRanking {
  model: NodeModel;
  documents: number;
  /** Like `AcceptedEmbeddings.start`, for documents. */
  start(): AsyncIterable<RankedDocument>;
}

export interface RankedDocument {
  /** Index of the document in the request. */
  index: number;
  /** Relevance to the query: 0…1. */
  score: number;
  /** Tokens that the model read for this document, including the query. */
  tokens: number;
}

/** Runs models that score documents by their relevance to a query. */
export interface Reranker extends ModelOwner {
  /**
   * Validates a request before it waits for a slot. Throws AppError: invalid_request, model_not_found, or
   * context_length_exceeded, which names the document, or the query if it leaves no room for any document.
   */
  accept(request: TextRequest): Promise<AcceptedRanking>;
  /** Token ids of a text as the model reads it, even if it is longer than the model's context. */
  tokenize(model: string | undefined, text: string): Promise<number[]>;
}

/** The model with this name, or the first model if the name is omitted. Throws model_not_found. */
export const findModel = (models: NodeModel[], name: string | undefined): NodeModel => {
  const model = name === undefined ? models[0] : models.find(({ id }) => id === name);
  if (model) return model;
  const kind = models[0]?.kind ?? "";
  const known = models.map(({ id }) => id).join(", ");
  throw new AppError("model_not_found", `This node has no ${kind} model "${name ?? ""}". Available: ${known}.`, {
    param: "model",
  });
};

/** The error for new work while the node is shutting down. */
export const shuttingDown = (): AppError =>
  new AppError("unavailable", "This GPU node is shutting down. Send the request to another node, or try again later.", {
    retryAfterMs: 1000,
  });
