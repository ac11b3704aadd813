import type { ModelCapabilities } from "../protocol";

const NOTHING: ModelCapabilities = {
  chat: false,
  tools: false,
  vision: false,
  audio_input: false,
  reasoning: false,
  json_schema: false,
  logprobs: false,
  max_choices: 1,
  dimensions: false,
  rerank: false,
  max_output_tokens: null,
  extra_fields: [],
};

/** The capabilities of a chat model: `chat`, `max_output_tokens` and those in `more`. All others are off. */
export const chatCapabilities = (maxOutputTokens: number, more: Partial<ModelCapabilities>): ModelCapabilities => ({
  ...NOTHING,
  chat: true,
  max_output_tokens: maxOutputTokens,
  ...more,
});

/** The capabilities of an embedding model. `dimensions`: whether it can shorten its vectors. */
export const embeddingCapabilities = (dimensions: boolean): ModelCapabilities => ({ ...NOTHING, dimensions });

export const RERANK_CAPABILITIES: ModelCapabilities = { ...NOTHING, rerank: true };
