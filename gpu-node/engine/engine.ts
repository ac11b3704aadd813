import { AppError } from "../../lib/errors";
import type { NodeModel } from "../protocol";

/** A request for text in OpenAI's parameters: a JSON object, of which the server has read how to stream and no more. */
export interface Generation {
  operation: "chat" | "completion";
  /** The request's JSON as it came; an engine that only forwards sends it untouched. */
  body: Record<string, unknown>;
  signal: AbortSignal;
}

/** A generation that the engine can do: counted, checked, not started. */
export interface AcceptedGeneration {
  model: NodeModel;
  /** Exact, or undefined where only the engine behind knows. */
  promptTokens?: number;
  /**
   * Starts when a slot is free; called at most once. Ends with exactly one `end`; aborting the signal ends it within
   * one token. Throws AppError.
   */
  start(): AsyncIterable<EngineEvent>;
}

export type EngineEvent =
  /** A piece of text: whole UTF-8 characters, no part of a stop string. `tokens` is how many it took. */
  | { type: "delta"; text: string; tokens: number; logprobs?: TokenLogprob[] }
  /** A chunk (the JSON after `data: `) or a whole answer in OpenAI's format from a server behind the node, passed on untouched. */
  | { type: "raw"; data: string }
  /** `frame` is the chunk with `usage` of a server behind the node, sent where the client asked for usage. */
  | { type: "end"; finishReason: "stop" | "length"; usage: EngineUsage; frame?: string };

export interface EngineUsage {
  promptTokens: number;
  completionTokens: number;
  /** Prompt tokens that were in the slot's KV cache already. */
  cachedTokens: number;
}

export interface TokenLogprob {
  token: string;
  logprob: number;
  bytes: number[];
  top: { token: string; logprob: number; bytes: number[] }[];
}

/** One way to run models. The server owns HTTP, queue and slots; the engine owns the models. */
export interface NodeEngine {
  /** For `x-engine`: "llama node-llama-cpp/3.22.1", "openai http://127.0.0.1:8000", "synthetic". */
  readonly name: string;
  readonly synthetic: boolean;
  /** Generations that may run at once. */
  readonly slots: number;
  /** Loads the models; `onProgress` gets 0…1. Throws AppError with what to do about it. */
  load(onProgress: (fraction: number) => void): Promise<void>;
  models(): NodeModel[];
  /** Why nothing can be made until the process is restarted. Left out by an engine that always recovers. */
  failure?(): AppError | undefined;
  /**
   * Checks everything before it waits for a slot, an embedded engine by `readParameters`. Throws AppError:
   * invalid_request (naming a parameter that this engine can't honour), model_not_found, context_length_exceeded.
   */
  accept(generation: Generation): Promise<AcceptedGeneration>;
  /** Token ids of a text, or of messages with the model's chat template. */
  tokenize(model: string | undefined, input: { text: string } | { messages: unknown[] }): Promise<number[]>;
  close(): Promise<void>;
}

/** The model of that name, or the first one without a name. Throws model_not_found. */
export const findModel = (models: NodeModel[], name: string | undefined): NodeModel => {
  const model = name === undefined ? models[0] : models.find(({ id }) => id === name);
  if (model) return model;
  const kind = models[0]?.kind ?? "";
  const known = models.map(({ id }) => id).join(", ");
  throw new AppError("model_not_found", `There is no ${kind} model "${name ?? ""}" here. This node serves ${known}.`, {
    param: "model",
  });
};
