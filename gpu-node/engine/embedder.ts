import type { NodeModel, Priority } from "../protocol";
import type { ModelOwner } from "./engine";

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
