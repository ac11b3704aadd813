import type { NodeModel, Priority } from "../protocol";

/** A request for embeddings in OpenAI's format, as the server has it before it waits. */
export interface EmbeddingRequest {
  /** The request's JSON as it came; an embedder that only forwards sends it untouched but for the encoding. */
  body: Record<string, unknown>;
  priority: Priority;
  /** Opaque name of the caller: callers take turns. */
  fairKey: string;
  signal: AbortSignal;
  /** True while answers are generated on this node: whoever shares a processor with them leaves them half of it. */
  isAnswering(): boolean;
}

/** Embeddings that the embedder can make: counted, checked, not started. */
export interface AcceptedEmbeddings {
  model: NodeModel;
  /** How many vectors there will be. */
  inputs: number;
  /**
   * Starts when a slot is free; called at most once. Gives every input once, in the order in which they are done;
   * aborting the signal, or leaving the iteration, ends it within one input. Throws AppError.
   */
  start(): AsyncIterable<Embedding>;
}

export interface Embedding {
  /** Place of the input in the request, from 0. */
  index: number;
  /** Of length 1. */
  vector: Float32Array;
  /** Of the input, those that the model adds included. */
  tokens: number;
}

/** One way to make embeddings, beside the engine that answers; it owns its models as the engine does. */
export interface Embedder {
  /** For `x-engine`, in the form of `NodeEngine.name`. */
  readonly name: string;
  /** Loads the models; `onProgress` gets 0…1. Throws AppError with what to do about it. */
  load(onProgress: (fraction: number) => void): Promise<void>;
  models(): NodeModel[];
  /**
   * Checks everything before it waits for a slot. Throws AppError: invalid_request (naming what is wrong),
   * model_not_found, context_length_exceeded (naming the input).
   */
  accept(request: EmbeddingRequest): Promise<AcceptedEmbeddings>;
  /** Token ids of a text as the model reads it. */
  tokenize(model: string | undefined, text: string): Promise<number[]>;
  close(): Promise<void>;
}
