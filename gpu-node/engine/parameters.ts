import { type Static, Type } from "@sinclair/typebox";
import { TypeCompiler } from "@sinclair/typebox/compiler";
import type { EncodingFormat } from "../../lib/vectors";
import { MAX_DOCUMENTS, MaxTokens, SAMPLING, StopList, TopLogprobs } from "../protocol";
import { type Fields, invalidField, readFields, shown } from "./fields";
import { type ChatTurn, Messages, turnsOf } from "./messages";
import { Flag, Ignored, JsonSchema, Only, Strict, Text } from "./schema";
import { TOOL_FIELDS, type ToolUse, toolUseOf } from "./tools";

/**
 * Validates the parameters of OpenAI's routes for embedded engines. A parameter is either supported or rejected by
 * name, and null means omitted. Engines that forward requests leave validation to the server.
 */

/* Error messages use `description` for what a schema accepts (default: its type) and `title` for the plural. */
const TokenId = Type.Integer({ minimum: 0, description: "a token id", title: "token ids" });
const Tokens = Type.Array(TokenId, { minItems: 1 });
const Prompt = Type.Union([Type.String({ format: "well-formed", minLength: 1 }), Tokens], {
  title: "strings or lists of token ids",
});
const ModelName = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }));

const Streaming = Type.Object({
  stream: Flag,
  stream_options: Type.Optional(Type.Object({ include_usage: Flag })),
});

const Sampling = Type.Partial(Type.Object(SAMPLING));
/** The sampling parameters of a request. Omitted ones use the engine's default. */
export type SamplingParameters = Static<typeof Sampling>;

const shared = {
  ...Sampling.properties,
  model: ModelName,
  max_tokens: Type.Optional(MaxTokens),
  stop: Type.Optional(Type.Union([Type.String({ minLength: 1 }), StopList])),
  n: Only(1),
  stream: Ignored,
  stream_options: Ignored,
  user: Ignored,
};

const Chat = Strict({
  ...shared,
  ...TOOL_FIELDS,
  messages: Messages,
  max_completion_tokens: Type.Optional(MaxTokens),
  response_format: Type.Optional(
    Type.Object({
      type: Type.Union([Type.Literal("text"), Type.Literal("json_object"), Type.Literal("json_schema")]),
      json_schema: Type.Optional(Type.Object({ schema: JsonSchema })),
    }),
  ),
  logprobs: Flag,
  top_logprobs: Type.Optional(TopLogprobs.chat),
  reasoning_effort: Type.Optional(
    Type.Union(["none", "minimal", "low", "medium", "high", "xhigh", "max"].map((effort) => Type.Literal(effort))),
  ),
  metadata: Ignored,
  store: Only(false),
});

const Completion = Strict({
  ...shared,
  prompt: Prompt,
  logprobs: Type.Optional(TopLogprobs.completion),
  echo: Only(false),
  suffix: Only(""),
});

/** OpenAI's own limit. */
const MAX_INPUTS = 2048;
const OneInput = Type.Union(Prompt.anyOf, {
  description: `a non-empty string, a list of token ids, or a list of up to ${MAX_INPUTS} of either`,
});

const Embeddings = Strict({
  model: ModelName,
  input: Type.Array(Prompt, { minItems: 1, maxItems: MAX_INPUTS }),
  encoding_format: Ignored,
  dimensions: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
  user: Ignored,
});

const WrittenText = Type.String({ format: "well-formed", minLength: 1 });

const Rerank = Strict({
  model: ModelName,
  query: WrittenText,
  documents: Type.Array(WrittenText, { minItems: 1, maxItems: MAX_DOCUMENTS }),
  truncate: Flag,
  top_n: Ignored,
  return_documents: Ignored,
});

/** Compiled once: interpreting a schema takes 10 times as long. */
/** Up to this many texts with up to this many characters each are counted in one request. */
const MAX_COUNTED_TEXTS = 256;
const MAX_COUNTED_CHARACTERS = 65_536;
const CountedTexts = Type.Array(Type.String({ maxLength: MAX_COUNTED_CHARACTERS }), {
  minItems: 1,
  maxItems: MAX_COUNTED_TEXTS,
});

const CHECKS = {
  streaming: TypeCompiler.Compile(Streaming),
  chat: TypeCompiler.Compile(Chat),
  completion: TypeCompiler.Compile(Completion),
  embeddings: TypeCompiler.Compile(Embeddings),
  rerank: TypeCompiler.Compile(Rerank),
  prompt: TypeCompiler.Compile(Type.Object({ messages: Messages, tools: TOOL_FIELDS.tools })),
  text: TypeCompiler.Compile(Type.Object({ prompt: Text })),
  texts: TypeCompiler.Compile(Type.Object({ prompt: CountedTexts })),
  input: TypeCompiler.Compile(Type.Object({ input: OneInput })),
  model: TypeCompiler.Compile(Type.Object({ model: ModelName })),
};

/** The validated parameters of a chat or completion request. */
export type Parameters = {
  model?: string;
  sampling: SamplingParameters;
  maxTokens?: number;
  stops: string[];
  /** Number of alternatives per token; undefined: no log probabilities. */
  topLogprobs?: number;
} & (
  | {
      operation: "chat";
      messages: ChatTurn[];
      /** JSON schema of the answer; undefined if the answer is plain text. */
      schema?: Fields;
      /** The functions that the answer may call; undefined if it may not call any. */
      toolUse?: ToolUse;
      /** Whether the model should reason before it answers; undefined if the request doesn't say. */
      reasons?: boolean;
    }
  | { operation: "completion"; prompt: Static<typeof Prompt> }
);

/** Validates a request for an embedded engine. Throws invalid_request with the field's name in `param`. */
export const readParameters = (operation: Parameters["operation"], body: Fields): Parameters => {
  if (operation === "completion") {
    const { prompt, logprobs, ...rest } = readFields(CHECKS.completion, body);
    return { operation, prompt, ...commonOf(rest), topLogprobs: logprobs };
  }
  const {
    messages,
    response_format,
    logprobs = false,
    top_logprobs,
    reasoning_effort,
    ...rest
  } = readFields(CHECKS.chat, body);
  if (top_logprobs !== undefined && !logprobs)
    throw invalidField("top_logprobs", "top_logprobs requires logprobs: true. Set logprobs or omit top_logprobs.");
  return {
    operation,
    ...commonOf(rest),
    messages: turnsOf(messages),
    schema: schemaOf(response_format),
    toolUse: toolUseOf(rest),
    reasons: reasoning_effort === undefined ? undefined : reasoning_effort !== "none",
    topLogprobs: logprobs ? (top_logprobs ?? 0) : undefined,
  };
};

const commonOf = (body: Omit<Static<typeof Chat>, "messages" | "logprobs">) => ({
  model: body.model,
  sampling: Object.fromEntries(Object.entries(body).filter(([name]) => Object.hasOwn(SAMPLING, name))),
  maxTokens: body.max_completion_tokens ?? body.max_tokens,
  stops: [body.stop ?? []].flat(),
});

const schemaOf = (format: Static<typeof Chat>["response_format"]): Fields | undefined => {
  if (format?.type === "json_object") return { type: "object" };
  if (format?.type !== "json_schema") return undefined;
  if (format.json_schema) return format.json_schema.schema;
  const param = "response_format.json_schema.schema";
  throw invalidField(param, `${param} is missing. Expected a JSON schema.`);
};

/** Reads the messages and functions of `POST /tokenize`. Throws invalid_request. */
export const readChatPrompt = (input: { messages: unknown[]; tools?: unknown }) => {
  const { messages, tools } = readFields(CHECKS.prompt, input);
  return { messages: turnsOf(messages), tools: toolUseOf({ tools })?.tools };
};
export const readText = (prompt: unknown): string => readFields(CHECKS.text, { prompt }).prompt;
/** The texts of a `POST /tokenize` that only counts. Throws invalid_request. */
export const readTexts = (prompt: unknown): string[] => readFields(CHECKS.texts, { prompt }).prompt;
export const readModel = ({ model }: Fields): string | undefined => readFields(CHECKS.model, { model }).model;

/** Reads the streaming options, which the server handles for every engine. Throws invalid_request. */
export const readStreaming = (body: Fields): { stream: boolean; includeUsage: boolean } => {
  const given = { stream: body.stream, stream_options: body.stream_options };
  const { stream = false, stream_options } = readFields(CHECKS.streaming, given);
  if (stream_options && !stream)
    throw invalidField("stream_options", "stream_options requires stream: true. Set stream or omit stream_options.");
  return { stream, includeUsage: stream_options?.include_usage ?? false };
};

/** A string, or token ids of the model. */
export type EmbeddingInput = Static<typeof Prompt>;

interface EmbeddingParameters {
  model?: string;
  /** 1 to 2,048 inputs, none of them empty. */
  inputs: EmbeddingInput[];
  dimensions?: number;
  /** Name of an input in errors: `input.3`, or `input` for a request with one input. */
  nameOf(index: number): string;
}

/** Validates a request for an in-process embedder. Throws invalid_request with the field's name in `param`. */
export const readEmbeddingParameters = (body: Fields): EmbeddingParameters => {
  const isList = Array.isArray(body.input) && typeof body.input[0] !== "number";
  const nameOf = (index: number) => (isList ? `input.${index}` : "input");
  if (!isList) readFields(CHECKS.input, body);
  const given = isList ? body : { ...body, input: [body.input] };
  const { input: inputs, model, dimensions } = readFields(CHECKS.embeddings, given);
  return { model, inputs, dimensions, nameOf };
};

/** A validated rerank request. `truncate`: whether to shorten documents that are too long instead of rejecting them. */
export type RerankParameters = Pick<Static<typeof Rerank>, "model" | "query" | "documents"> & { truncate: boolean };

/** Validates a rerank request. Throws invalid_request with the field's name in `param`. */
export const readRerankParameters = (body: Fields): RerankParameters => {
  const { model, query, documents, truncate = false } = readFields(CHECKS.rerank, body);
  return { model, query, documents, truncate };
};

/** Reads the encoding of the vectors, which the server handles for every embedder. Throws invalid_request. */
export const readEncodingFormat = ({ encoding_format = null }: Fields): EncodingFormat => {
  if (encoding_format === null || encoding_format === "float") return "float";
  if (encoding_format === "base64") return "base64";
  throw invalidField("encoding_format", `encoding_format must be float or base64, not ${shown(encoding_format)}.`);
};

/** Throws invalid_request unless `wanted` is omitted or equals `own`, the length of the model's vectors. */
export const checkDimensions = (wanted: number | undefined, own: number): void => {
  if (wanted === undefined || wanted === own) return;
  throw invalidField("dimensions", `dimensions must be ${own}, not ${wanted}: this model can't shorten its vectors.`);
};
