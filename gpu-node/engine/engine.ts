import { AppError } from "../../lib/errors";
import type { NodeModel, Priority } from "../protocol";

/** A request for text with OpenAI's parameters. The server has only read how to stream the answer. */
export interface Generation {
  operation: "chat" | "completion";
  /** The parsed body of the request. An engine that only forwards sends it unchanged. */
  body: Record<string, unknown>;
  signal: AbortSignal;
}

/** A generation that the engine has checked and accepted, but not started. */
export interface AcceptedGeneration {
  model: NodeModel;
  /** Exact; undefined if only the server behind the node knows. */
  promptTokens?: number;
  /**
   * Called at most once, when a slot is free. Ends with exactly one `end`. Aborting the signal ends it within one token.
   * Throws AppError.
   */
  start(): AsyncIterable<EngineEvent>;
}

export type EngineEvent =
  /** A piece of text: whole UTF-8 characters, no part of a stop string. `tokens` is the number of its tokens. */
  | { type: "delta"; text: string; tokens: number; logprobs?: TokenLogprob[] }
  /** A chunk (the JSON after `data: `) or a whole answer in OpenAI's format from a server behind the node, passed on untouched. */
  | { type: "raw"; data: string }
  /** `frame` is the chunk with `usage` of a server behind the node, sent where the client asked for usage. */
  | { type: "end"; finishReason: "stop" | "length"; usage: EngineUsage; frame?: string };

export interface EngineUsage {
  promptTokens: number;
  completionTokens: number;
  /** Prompt tokens that were already in the slot's KV cache. */
  cachedTokens: number;
}

export interface TokenLogprob {
  token: string;
  logprob: number;
  bytes: number[];
  top: { token: string; logprob: number; bytes: number[] }[];
}

/** Owns models: the common part of engines and embedders. The server owns HTTP, queue and slots. */
interface ModelOwner {
  /** For `x-engine`: "llama node-llama-cpp/3.22.1", "openai http://127.0.0.1:8000", "synthetic". */
  readonly name: string;
  /** Loads the models; `onProgress` gets 0…1. Throws an AppError that says what to do. */
  load(onProgress: (fraction: number) => void): Promise<void>;
  models(): NodeModel[];
  close(): Promise<void>;
}

/** Runs chat models. */
export interface NodeEngine extends ModelOwner {
  readonly synthetic: boolean;
  /** Generations that may run in parallel. */
  readonly slots: number;
  /** Why the engine can't work until the process is restarted. Omitted by an engine that always recovers. */
  failure?(): AppError | undefined;
  /**
   * Checks a request before it waits for a slot; embedded engines use `readParameters`. Throws AppError:
   * invalid_request (naming a parameter that this engine can't honour), model_not_found, context_length_exceeded.
   */
  accept(generation: Generation): Promise<AcceptedGeneration>;
  /** Token ids of a text, or of messages with the model's chat template. */
  tokenize(model: string | undefined, input: { text: string } | { messages: unknown[] }): Promise<number[]>;
}

/** A request for embeddings in OpenAI's format, before it waits for a slot. */
export interface EmbeddingRequest {
  /** The parsed body of the request. An embedder that only forwards changes nothing but the encoding. */
  body: Record<string, unknown>;
  priority: Priority;
  /** Opaque name of the caller: callers take turns. */
  fairKey: string;
  signal: AbortSignal;
  /** True while this node generates answers. An embedder on the same processor then leaves them half of it. */
  isAnswering(): boolean;
}

/** Embeddings that the embedder has checked and accepted, but not started. */
export interface AcceptedEmbeddings {
  model: NodeModel;
  /** Number of vectors. */
  inputs: number;
  /**
   * Called at most once, when a slot is free. Yields every input once, in order of completion. Aborting the signal or
   * leaving the iteration ends it within one input. Throws AppError.
   */
  start(): AsyncIterable<Embedding>;
}

export interface Embedding {
  /** Index of the input in the request. */
  index: number;
  /** Of length 1. */
  vector: Float32Array;
  /** Tokens of the input, including those that the model adds. */
  tokens: number;
}

/** Makes embeddings, next to the engine that generates text. */
export interface Embedder extends ModelOwner {
  /**
   * Checks a request before it waits for a slot. Throws AppError: invalid_request (naming what is wrong),
   * model_not_found, context_length_exceeded (naming the input).
   */
  accept(request: EmbeddingRequest): Promise<AcceptedEmbeddings>;
  /** Token ids of a text as the model reads it. */
  tokenize(model: string | undefined, text: string): Promise<number[]>;
}

/** The model of that name; without a name, the first one. Throws model_not_found. */
export const findModel = (models: NodeModel[], name: string | undefined): NodeModel => {
  const model = name === undefined ? models[0] : models.find(({ id }) => id === name);
  if (model) return model;
  const kind = models[0]?.kind ?? "";
  const known = models.map(({ id }) => id).join(", ");
  throw new AppError("model_not_found", `There is no ${kind} model "${name ?? ""}" here. This node serves ${known}.`, {
    param: "model",
  });
};

/** The refusal of work by a node that is being stopped. */
export const shuttingDown = (): AppError =>
  new AppError("unavailable", "This GPU node is shutting down. Send the request to another node or again later.", {
    retryAfterMs: 1000,
  });
