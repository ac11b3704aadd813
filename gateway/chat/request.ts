import { AppError } from "../../lib/errors";
import type { ChatCompletionRequest, ChatMessage, CompletionRequest } from "./contract";

export type Operation = "chat" | "completion";
export type GenerationRequest = ChatCompletionRequest | CompletionRequest;

type Prompt = string | number[];

/** The prompts of a completion: texts, or token ids of the model. */
export const promptsOf = (prompt: CompletionRequest["prompt"]): Prompt[] =>
  typeof prompt === "string" || typeof prompt[0] === "number" ? [prompt as Prompt] : (prompt as Prompt[]);

/** The single prompt of a request. Throws invalid_request if it has several. */
const onlyPrompt = (prompt: CompletionRequest["prompt"]): Prompt => {
  const [first = "", ...others] = promptsOf(prompt);
  if (others.length === 0) return first;
  throw new AppError(
    "invalid_request",
    `prompt has ${others.length + 1} entries, but a stream answers only one. Leave stream out, or send a request for each.`,
    { param: "prompt" },
  );
};

/** The chat templates of open models know `system`, but not `developer`, OpenAI's newer name for it. */
const withSystemRole = (messages: ChatMessage[]): ChatMessage[] =>
  messages.some(({ role }) => role === "developer")
    ? messages.map((message) => (message.role === "developer" ? { ...message, role: "system" } : message))
    : messages;

/**
 * The fields that can change the answer, in a fixed order. They are sent to the node and make up the cache key. All
 * other fields are hints, or control how the answer is sent.
 */
const answerFields = (body: GenerationRequest) => ({
  ...("messages" in body
    ? {
        messages: withSystemRole(body.messages),
        max_tokens: body.max_completion_tokens ?? body.max_tokens,
        top_logprobs: body.top_logprobs,
        response_format: body.response_format,
      }
    : { prompt: onlyPrompt(body.prompt), max_tokens: body.max_tokens }),
  temperature: body.temperature,
  top_p: body.top_p,
  top_k: body.top_k,
  min_p: body.min_p,
  repetition_penalty: body.repetition_penalty,
  seed: body.seed,
  stop: body.stop,
  presence_penalty: body.presence_penalty,
  frequency_penalty: body.frequency_penalty,
  logprobs: body.logprobs,
});

/** The body as the node gets it: with the model's name and, for streams, the usage at the end. */
export const nodeBody = (body: GenerationRequest, model: string, stream: boolean): string =>
  JSON.stringify({
    model,
    stream,
    stream_options: stream ? { include_usage: true } : undefined,
    ...answerFields(body),
  });

/** Why the answer may not be cached; undefined when the same request gives the same answer. */
export const samplingBypass = (body: GenerationRequest): string | undefined =>
  body.temperature === 0 || typeof body.seed === "number" ? undefined : "sampled: set temperature to 0 or give a seed";

/** The parts of the cache key, by name. Fields without a value are left out. */
export const cacheParts = (
  operation: Operation,
  body: GenerationRequest,
  model: { id: string; revision: string },
): Record<string, unknown> => ({
  operation,
  model: model.id,
  revision: model.revision,
  template_version: null,
  ...answerFields(body),
});
