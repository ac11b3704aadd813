import { type ModelCapabilities, SAMPLING } from "../../gpu-node/protocol";
import { AppError } from "../../lib/errors";
import type { Media } from "../limits/ledger";
import { audioSeconds } from "./audio-length";
import { type ChatCompletionRequest, type CompletionRequest, DEFAULT_COMPLETION_TOKENS } from "./contract";
import type { ChatMessage } from "./message";

export type Operation = "chat" | "completion";

/** Key of the fields that only the model's server knows. A symbol can't clash with the name of a field. */
export const EXTRA = Symbol("extra fields");
export type GenerationRequest = (ChatCompletionRequest | CompletionRequest) & { [EXTRA]?: Record<string, unknown> };

type Prompt = string | number[];

/** The prompts of a completion: strings, or token ids. */
export const promptsOf = (prompt: CompletionRequest["prompt"]): Prompt[] =>
  typeof prompt === "string" || typeof prompt[0] === "number" ? [prompt as Prompt] : (prompt as Prompt[]);

/** The single prompt of a request. Throws invalid_request if it has several. */
const onlyPrompt = (prompt: CompletionRequest["prompt"]): Prompt => {
  const [first = "", ...others] = promptsOf(prompt);
  if (others.length === 0) return first;
  throw new AppError(
    "invalid_request",
    `prompt has ${others.length + 1} entries, but a stream answers only one. Leave out stream, or send one request per prompt.`,
    { param: "prompt" },
  );
};

/**
 * The messages as the model's server reads them. Chat templates of open models support `system`, but not OpenAI's newer
 * name for it, `developer`. Clients send back the reasoning of earlier answers; a model without the capability may have
 * written some too, but doesn't read it.
 */
const messagesFor = (messages: ChatMessage[], capabilities: ModelCapabilities | null): ChatMessage[] => {
  const dropsReasoning = capabilities?.reasoning === false;
  const needsChanges = messages.some(
    (message) =>
      message.role === "developer" || (dropsReasoning && message.role === "assistant" && hasReasoning(message)),
  );
  if (!needsChanges) return messages;
  return messages.map((message): ChatMessage => {
    if (message.role === "developer") return { ...message, role: "system" };
    if (message.role !== "assistant" || !dropsReasoning) return message;
    const { reasoning: _, reasoning_content: __, ...rest } = message;
    return rest;
  });
};

const hasReasoning = ({ reasoning, reasoning_content }: { reasoning?: string; reasoning_content?: string }): boolean =>
  reasoning !== undefined || reasoning_content !== undefined;

/** The longest answer that the request asks for; undefined if it doesn't say. */
export const maxTokensOf = (body: GenerationRequest): number | undefined =>
  "messages" in body
    ? (body.max_completion_tokens ?? body.max_tokens ?? undefined)
    : (body.max_tokens ?? DEFAULT_COMPLETION_TOKENS);

/** The images and audio in a request's messages; undefined if it has none. */
export const mediaOf = (body: GenerationRequest): Media | undefined => {
  if (!("messages" in body)) return undefined;
  let media: Media | undefined;
  for (const { content } of body.messages) {
    if (typeof content !== "object") continue;
    for (const part of content) {
      if (part.type === "text") continue;
      media ??= { images: 0, imageBytes: 0, audioBytes: 0, audioSeconds: 0 };
      if (part.type === "image_url") {
        media.images++;
        media.imageBytes += part.image_url.url.length;
      } else {
        media.audioBytes += part.input_audio.data.length;
        media.audioSeconds += audioSeconds(part.input_audio);
      }
    }
  }
  return media;
};

/** Fields that have the same name in requests and in the node's API. */
const SAMPLING_FIELDS = [
  ...(Object.keys(SAMPLING) as (keyof typeof SAMPLING)[]),
  "stop",
  "logprobs",
  "top_logprobs",
  "response_format",
  "n",
] as const;

/** What the fields of a request depend on; `capabilities` is null until a node has reported them. */
export interface RequestedModel {
  id: string;
  capabilities: ModelCapabilities | null;
}

/**
 * Copies the fields that can change the answer to `target`, in a fixed order. They are sent to the node and are part of
 * the cache key. All other fields are hints, or affect only how the answer is sent.
 */
const withAnswerFields = (
  target: Record<string, unknown>,
  body: GenerationRequest,
  { capabilities }: RequestedModel,
): Record<string, unknown> => {
  if ("messages" in body) {
    target.messages = messagesFor(body.messages, capabilities);
    target.max_tokens = maxTokensOf(body);
  } else {
    target.prompt = onlyPrompt(body.prompt);
    target.max_tokens = maxTokensOf(body);
  }
  const fields = body as Partial<ChatCompletionRequest>;
  for (const name of SAMPLING_FIELDS) if (fields[name] !== undefined) target[name] = fields[name];
  // Without tools, their settings have no effect, and some servers reject them.
  if (fields.tools !== undefined) {
    target.tools = fields.tools;
    target.tool_choice = fields.tool_choice;
    target.parallel_tool_calls = fields.parallel_tool_calls;
  }
  if (fields.reasoning_effort !== undefined && capabilities?.reasoning !== false) {
    target.reasoning_effort = fields.reasoning_effort;
  }
  return target;
};

/** The request with at most `limit` tokens of answer. */
export const shortened = <T extends GenerationRequest>(body: T, limit: number): T => {
  if ((maxTokensOf(body) ?? Number.POSITIVE_INFINITY) <= limit) return body;
  const extra = body[EXTRA];
  return {
    ...body,
    max_tokens: limit,
    ...("messages" in body && { max_completion_tokens: undefined }),
    // Servers reject a shortest answer above the longest.
    ...(Number(extra?.min_tokens) > limit && { [EXTRA]: { ...extra, min_tokens: limit } }),
  };
};

/** The body for the node, with the model's name. For streams, it asks for the usage at the end. */
export const nodeBody = (body: GenerationRequest, model: RequestedModel, stream: boolean): string => {
  const { id } = model;
  const head = stream ? { model: id, stream, stream_options: { include_usage: true } } : { model: id, stream };
  const fields = withAnswerFields(head, body, model);
  const extra = body[EXTRA];
  return JSON.stringify(extra === undefined ? fields : Object.assign(fields, extra));
};

/** Why the answer must not be cached; undefined if the same request always gives the same answer. */
export const samplingBypass = (body: GenerationRequest): string | undefined =>
  body.temperature === 0 || typeof body.seed === "number" ? undefined : "sampled: set temperature to 0 or send a seed";

/** Like `samplingBypass`, but also bypasses the cache if the model's server fetches images, because they may change. */
export const cacheBypass = (body: GenerationRequest, hasFetchedImages: boolean): string | undefined =>
  samplingBypass(body) ?? (hasFetchedImages ? "fetched images: send them as data URLs" : undefined);

/** The parts of the cache key, by name. Fields without a value are omitted. */
export const cacheParts = (
  operation: Operation,
  body: GenerationRequest,
  model: RequestedModel & { revision: string },
): Record<string, unknown> => {
  const head = { operation, model: model.id, revision: model.revision, template_version: null };
  const parts = withAnswerFields(head, body, model);
  // A single part, because a field could have the same name as another part.
  if (body[EXTRA] !== undefined) parts.extra = body[EXTRA];
  return parts;
};
