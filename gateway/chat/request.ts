import { AppError } from "../../lib/errors";
import type { ChatCompletionRequest, CompletionRequest } from "./contract";

export type Operation = "chat" | "completion";
export type GenerationRequest = ChatCompletionRequest | CompletionRequest;

/** How `JSON.stringify` writes half of a surrogate pair. */
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

/** The body as the node gets it: with the model's name and, for streams, the usage at the end. Throws invalid_request. */
export const nodeBody = (body: GenerationRequest, model: string, stream: boolean): string => {
  const json = JSON.stringify({
    ...body,
    model,
    stream,
    stream_options: stream ? { include_usage: true } : undefined,
  });
  if (json.includes("\\ud") && LONE_SURROGATE.test(json)) throw loneSurrogate(body);
  return json;
};

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

const loneSurrogate = (body: GenerationRequest): AppError => {
  const param = findLoneSurrogate(body, "");
  return new AppError("invalid_request", `${param} holds half of a surrogate pair, which is no character.`, { param });
};

const findLoneSurrogate = (value: unknown, path: string): string | undefined => {
  if (typeof value === "string") return value.isWellFormed() ? undefined : path;
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const at = path ? `${path}.${name}` : name;
    const found = name.isWellFormed() ? findLoneSurrogate(inner, at) : path;
    if (found !== undefined) return found;
  }
  return undefined;
};
