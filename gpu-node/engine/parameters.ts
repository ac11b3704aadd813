import { Type } from "@sinclair/typebox";
import { MaxTokens, SAMPLING, StopList, TopLogprobs } from "../protocol";
import { type Fields, isFields, known, only, readModel, readValue, refuse, shown, textOf } from "./fields";

/**
 * Validates the parameters of OpenAI's two routes for embedded engines. A parameter is either honoured or rejected with
 * the name of its field. Engines that forward requests leave this to the server.
 */

/** What both routes share, in our names. Absent fields take the engine's default. */
export interface SamplingParameters {
  model?: string;
  maxTokens?: number;
  temperature?: number;
  topP?: number;
  topK?: number;
  minP?: number;
  seed?: number;
  stop: string[];
  presencePenalty?: number;
  frequencyPenalty?: number;
  /** Over the tokens of the answer, as in vLLM; 1 changes nothing. */
  repetitionPenalty?: number;
  /** Alternatives per token; undefined: no logprobs at all. */
  topLogprobs?: number;
}

export interface ChatTurn {
  role: "system" | "user" | "assistant";
  /** The text parts put together. */
  content: string;
}

export type ResponseFormat = { type: "json_object" } | { type: "json_schema"; schema: Record<string, unknown> };

interface ChatParameters extends SamplingParameters {
  operation: "chat";
  messages: ChatTurn[];
  /** undefined: plain text. */
  responseFormat?: ResponseFormat;
}

interface CompletionParameters extends SamplingParameters {
  operation: "completion";
  /** A text, or token ids of the model. */
  prompt: string | number[];
}

export type Parameters = ChatParameters | CompletionParameters;

const SHARED = [
  ...Object.keys(SAMPLING),
  "model",
  "max_tokens",
  "stop",
  "n",
  "stream",
  "stream_options",
  "user",
  "logprobs",
];
const CHAT = new Set([
  ...SHARED,
  "messages",
  "max_completion_tokens",
  "response_format",
  "top_logprobs",
  "metadata",
  "store",
]);
const COMPLETION = new Set([...SHARED, "prompt", "echo", "suffix"]);

const Flag = Type.Boolean();

const stops = (value: unknown): string[] => {
  if (value === undefined || value === null) return [];
  const list = Array.isArray(value) ? value : [value];
  const most = StopList.maxItems ?? 0;
  if (list.length > most) throw refuse("stop", `stop must be at most ${most} texts, not ${list.length}.`);
  return list.map((item, index) => {
    const param = Array.isArray(value) ? `stop.${index}` : "stop";
    if (item === "") throw refuse(param, `${param} must not be empty.`);
    return textOf(item, param);
  });
};

const ROLES: Record<string, ChatTurn["role"]> = {
  system: "system",
  developer: "system",
  user: "user",
  assistant: "assistant",
};
const MESSAGE_FIELDS = new Set(["role", "content", "name", "refusal"]);
const PART_FIELDS = new Set(["type", "text"]);

const part = (value: unknown, param: string): string => {
  if (!isFields(value)) throw refuse(param, `${param} must be an object with type and text.`);
  if (value.type !== "text") {
    throw refuse(
      `${param}.type`,
      `${param}.type must be "text", not ${shown(value.type)}: this model reads text only.`,
    );
  }
  known(value, PART_FIELDS, `${param}.`, "");
  return textOf(value.text, `${param}.text`);
};

const content = (value: unknown, param: string): string => {
  if (!Array.isArray(value)) return textOf(value, param);
  if (value.length === 0) throw refuse(param, `${param} must hold at least one part.`);
  return value.map((item, index) => part(item, `${param}.${index}`)).join("");
};

/** The conversation of a request. Throws invalid_request naming the message and field that is wrong. */
export const readMessages = (value: unknown): ChatTurn[] => {
  if (!Array.isArray(value) || value.length === 0) {
    throw refuse("messages", "messages must be a list of one message or more.");
  }
  if (value.length > 2000) throw refuse("messages", `messages must be at most 2000, not ${value.length}.`);
  return value.map((message: unknown, index) => {
    const param = `messages.${index}`;
    if (!isFields(message)) throw refuse(param, `${param} must be an object with role and content.`);
    const role =
      typeof message.role === "string" && Object.hasOwn(ROLES, message.role) ? ROLES[message.role] : undefined;
    if (!role) {
      const allowed = "system, developer, user or assistant";
      throw refuse(`${param}.role`, `${param}.role must be ${allowed}, not ${shown(message.role)}.`);
    }
    known(message, MESSAGE_FIELDS, `${param}.`, " by this model");
    const silent = role === "assistant" && (message.content === null || message.content === undefined);
    return { role, content: silent ? "" : content(message.content, `${param}.content`) };
  });
};

/** Text, or token ids. Throws invalid_request naming `param`. */
export const readPrompt = (value: unknown, param = "prompt"): string | number[] => {
  if (!Array.isArray(value)) return textOf(value, param);
  const ids = value.filter((id) => typeof id === "number" && Number.isInteger(id) && id >= 0);
  if (value.length === 0 || ids.length < value.length) {
    throw refuse(param, `${param} must be one text, or a list of token ids: one answer per request.`);
  }
  return ids;
};

const responseFormat = (value: unknown): ResponseFormat | undefined => {
  if (value === undefined || value === null) return undefined;
  const type = isFields(value) ? value.type : undefined;
  if (!isFields(value) || (type !== "text" && type !== "json_object" && type !== "json_schema")) {
    throw refuse("response_format.type", "response_format.type must be text, json_object or json_schema.");
  }
  if (type === "text") return undefined;
  if (type === "json_object") return { type };
  const schema = isFields(value.json_schema) ? value.json_schema.schema : undefined;
  if (!isFields(schema)) {
    throw refuse("response_format.json_schema.schema", "response_format.json_schema.schema must be a JSON schema.");
  }
  return { type, schema };
};

const sampling = (body: Fields): SamplingParameters => {
  only(body, "n", 1, "a request gets one answer. Send it again for another.");
  const read = (name: keyof typeof SAMPLING) => readValue(body, name, SAMPLING[name]);
  return {
    model: readModel(body),
    maxTokens: readValue(body, "max_completion_tokens", MaxTokens) ?? readValue(body, "max_tokens", MaxTokens),
    temperature: read("temperature"),
    topP: read("top_p"),
    topK: read("top_k"),
    minP: read("min_p"),
    seed: read("seed"),
    stop: stops(body.stop),
    presencePenalty: read("presence_penalty"),
    frequencyPenalty: read("frequency_penalty"),
    repetitionPenalty: read("repetition_penalty"),
  };
};

/** How the answer is sent, which the server reads for every engine. Throws invalid_request. */
export const readStreaming = (body: Fields): { stream: boolean; includeUsage: boolean } => {
  const stream = readValue(body, "stream", Flag) ?? false;
  const options = body.stream_options ?? undefined;
  if (options === undefined) return { stream, includeUsage: false };
  if (!isFields(options)) throw refuse("stream_options", "stream_options must be an object with include_usage.");
  if (!stream) throw refuse("stream_options", "stream_options needs stream: true.");
  const includeUsage = options.include_usage ?? false;
  if (typeof includeUsage !== "boolean") {
    const message = `stream_options.include_usage must be true or false, not ${shown(includeUsage)}.`;
    throw refuse("stream_options.include_usage", message);
  }
  return { stream, includeUsage };
};

const readChat = (body: Fields): ChatParameters => {
  known(body, CHAT, "", " by this model");
  only(body, "store", false, "this node keeps nothing.");
  const topLogprobs = readValue(body, "top_logprobs", TopLogprobs.chat);
  const logprobs = readValue(body, "logprobs", Flag) ?? false;
  if (topLogprobs !== undefined && !logprobs) throw refuse("top_logprobs", "top_logprobs needs logprobs: true.");
  return {
    operation: "chat",
    ...sampling(body),
    messages: readMessages(body.messages),
    responseFormat: responseFormat(body.response_format),
    topLogprobs: logprobs ? (topLogprobs ?? 0) : undefined,
  };
};

const readCompletion = (body: Fields): CompletionParameters => {
  known(body, COMPLETION, "", " by this model");
  only(body, "echo", false, "the prompt is not repeated.");
  only(body, "suffix", "", "this model doesn't fill in.");
  return {
    operation: "completion",
    ...sampling(body),
    prompt: readPrompt(body.prompt),
    topLogprobs: readValue(body, "logprobs", TopLogprobs.completion),
  };
};

/** Everything that an embedded engine needs of a request. Throws invalid_request, naming the field in `param`. */
export const readParameters = (operation: Parameters["operation"], body: Fields): Parameters =>
  operation === "chat" ? readChat(body) : readCompletion(body);
