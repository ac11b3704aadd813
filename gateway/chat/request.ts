import type { ChatCompletionRequest, CompletionRequest } from "./contract";

export type Operation = "chat" | "completion";
export type GenerationRequest = ChatCompletionRequest | CompletionRequest;

/** The body as the node gets it: with the model's name and, for streams, the usage at the end. */
export const nodeBody = (body: GenerationRequest, model: string, stream: boolean): string =>
  JSON.stringify({
    ...body,
    model,
    stream,
    stream_options: stream ? { include_usage: true } : undefined,
  });

/** Why the answer may not be cached; undefined when the same request gives the same answer. */
export const samplingBypass = (body: GenerationRequest): string | undefined =>
  body.temperature === 0 || typeof body.seed === "number" ? undefined : "sampled: set temperature to 0 or give a seed";

/** Everything that could change the answer, by name, in a fixed order. `stream`, `user` and `metadata` don't. */
export const cacheParts = (
  operation: Operation,
  body: GenerationRequest,
  model: { id: string; revision: string },
): Record<string, unknown> => ({
  operation,
  model: model.id,
  revision: model.revision,
  template_version: null,
  messages: "messages" in body ? body.messages : undefined,
  prompt: "prompt" in body ? body.prompt : undefined,
  max_tokens:
    ("max_completion_tokens" in body ? body.max_completion_tokens : undefined) ?? body.max_tokens ?? undefined,
  temperature: body.temperature ?? undefined,
  top_p: body.top_p ?? undefined,
  top_k: body.top_k ?? undefined,
  min_p: body.min_p ?? undefined,
  seed: body.seed ?? undefined,
  stop: body.stop ?? undefined,
  presence_penalty: body.presence_penalty ?? undefined,
  frequency_penalty: body.frequency_penalty ?? undefined,
  logprobs: body.logprobs ?? undefined,
  top_logprobs: ("top_logprobs" in body ? body.top_logprobs : undefined) ?? undefined,
  response_format: ("response_format" in body ? body.response_format : undefined) ?? undefined,
});
