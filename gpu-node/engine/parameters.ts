import { FormatRegistry, type Static, type TSchema, Type } from "@sinclair/typebox";
import { Value, type ValueError, ValueErrorType } from "@sinclair/typebox/value";
import { AppError } from "../../lib/errors";
import { ownValue } from "../../lib/own-value";
import type { EncodingFormat } from "../../lib/vectors";
import { MaxTokens, SAMPLING, StopList, TopLogprobs } from "../protocol";

/**
 * Validates the parameters of OpenAI's routes for embedded engines. A parameter is either supported, or rejected with
 * the name of its field; null is the same as omitting it. Engines that forward requests leave this to the server.
 */
type Fields = Record<string, unknown>;

FormatRegistry.Set("well-formed", (text) => text.isWellFormed());

const Text = Type.String({ format: "well-formed" });
const Tokens = Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1 });
const Prompt = Type.Union([Type.String({ format: "well-formed", minLength: 1 }), Tokens]);
const ModelName = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }));
const Flag = Type.Optional(Type.Boolean());
const Ignored = Type.Optional(Type.Unknown());
/** Accepted only with a value that has no effect. */
const Only = <T extends string | number | boolean>(value: T) => Type.Optional(Type.Literal(value));
/** An object that rejects unknown fields. */
const Strict = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });

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

const ROLES = { system: "system", developer: "system", user: "user", assistant: "assistant" } as const;
const Messages = Type.Array(
  Strict({
    role: Type.Union([
      Type.Literal("system"),
      Type.Literal("developer"),
      Type.Literal("user"),
      Type.Literal("assistant"),
    ]),
    content: Type.Optional(
      Type.Union([Text, Type.Array(Strict({ type: Type.Literal("text"), text: Text }), { minItems: 1 })]),
    ),
    name: Ignored,
    refusal: Ignored,
  }),
  { minItems: 1, maxItems: 2000 },
);

const Chat = Strict({
  ...shared,
  messages: Messages,
  max_completion_tokens: Type.Optional(MaxTokens),
  response_format: Type.Optional(
    Type.Object({
      type: Type.Union([Type.Literal("text"), Type.Literal("json_object"), Type.Literal("json_schema")]),
      json_schema: Type.Optional(Type.Object({ schema: Type.Record(Type.String(), Type.Unknown()) })),
    }),
  ),
  logprobs: Flag,
  top_logprobs: Type.Optional(TopLogprobs.chat),
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

const Embeddings = Strict({
  model: ModelName,
  /** OpenAI's own limit. */
  input: Type.Array(Prompt, { minItems: 1, maxItems: 2048 }),
  encoding_format: Ignored,
  dimensions: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
  user: Ignored,
});

export interface ChatTurn {
  role: "system" | "user" | "assistant";
  /** The text parts, joined. */
  content: string;
}

/** A request for text. */
export type Parameters = {
  model?: string;
  sampling: SamplingParameters;
  maxTokens?: number;
  stops: string[];
  /** Alternatives per token; undefined means no logprobs at all. */
  topLogprobs?: number;
} & (
  | { operation: "chat"; messages: ChatTurn[] /** Of a JSON answer. */; schema?: Fields }
  | { operation: "completion"; prompt: Static<typeof Prompt> }
);

/** Everything that an embedded engine needs from a request. Throws invalid_request, naming the field in `param`. */
export const readParameters = (operation: Parameters["operation"], body: Fields): Parameters => {
  if (operation === "completion") {
    const { prompt, logprobs, ...rest } = read(Completion, body);
    return { operation, prompt, ...commonOf(rest), topLogprobs: logprobs };
  }
  const { messages, response_format, logprobs = false, top_logprobs, ...rest } = read(Chat, body);
  if (top_logprobs !== undefined && !logprobs) throw refuse("top_logprobs", "top_logprobs needs logprobs: true.");
  return {
    operation,
    ...commonOf(rest),
    messages: turnsOf(messages),
    schema: schemaOf(response_format),
    topLogprobs: logprobs ? (top_logprobs ?? 0) : undefined,
  };
};

const commonOf = (body: Omit<Static<typeof Chat>, "messages" | "logprobs">) => ({
  model: body.model,
  sampling: Value.Clean(Sampling, { ...body }) as SamplingParameters,
  maxTokens: body.max_completion_tokens ?? body.max_tokens,
  stops: [body.stop ?? []].flat(),
});

const schemaOf = (format: Static<typeof Chat>["response_format"]): Fields | undefined => {
  if (format?.type === "json_object") return { type: "object" };
  if (format?.type !== "json_schema") return undefined;
  if (format.json_schema) return format.json_schema.schema;
  const param = "response_format.json_schema.schema";
  throw refuse(param, `${param} must be a JSON schema.`);
};

const turnsOf = (messages: Static<typeof Messages>): ChatTurn[] =>
  messages.map(({ role, content }, index) => {
    if (content === undefined && role !== "assistant") {
      const param = `messages.${index}.content`;
      throw refuse(param, `${param} is missing.`);
    }
    const text = typeof content === "object" ? content.map((part) => part.text).join("") : (content ?? "");
    return { role: ROLES[role], content: text };
  });

/** The messages or the text of a `POST /tokenize`. Throws invalid_request. */
export const readMessages = (messages: unknown): ChatTurn[] =>
  turnsOf(read(Type.Object({ messages: Messages }), { messages }).messages);
export const readText = (prompt: unknown): string => read(Type.Object({ prompt: Text }), { prompt }).prompt;
export const readModel = ({ model }: Fields): string | undefined =>
  read(Type.Object({ model: ModelName }), { model }).model;

/** How the answer is sent. The server reads this for every engine. Throws invalid_request. */
export const readStreaming = (body: Fields): { stream: boolean; includeUsage: boolean } => {
  const { stream = false, stream_options } = read(Streaming, body);
  if (stream_options && !stream) throw refuse("stream_options", "stream_options needs stream: true.");
  return { stream, includeUsage: stream_options?.include_usage ?? false };
};

/** A text, or token ids of the model. */
export type EmbeddingInput = Static<typeof Prompt>;

interface EmbeddingParameters {
  model?: string;
  /** 1 to 2,048 inputs, none of them empty. */
  inputs: EmbeddingInput[];
  dimensions?: number;
  /** Name of an input in errors: `input.3`, or `input` for a request with one input. */
  nameOf(index: number): string;
}

/** The parameters that an in-process embedder needs. Throws invalid_request, naming the field in `param`. */
export const readEmbeddingParameters = (body: Fields): EmbeddingParameters => {
  const isList = Array.isArray(body.input) && typeof body.input[0] !== "number";
  const nameOf = (index: number) => (isList ? `input.${index}` : "input");
  if (!isList) read(Type.Object({ input: Prompt }), body);
  const { input: inputs, model, dimensions } = read(Embeddings, isList ? body : { ...body, input: [body.input] });
  return { model, inputs, dimensions, nameOf };
};

/** How the vectors are encoded. The server reads this for every embedder. Throws invalid_request. */
export const readEncodingFormat = ({ encoding_format = null }: Fields): EncodingFormat => {
  if (encoding_format === null || encoding_format === "float") return "float";
  if (encoding_format === "base64") return "base64";
  throw refuse("encoding_format", `encoding_format must be float or base64, not ${shown(encoding_format)}.`);
};

/** Rejects a length other than that of the model's vectors. */
export const checkDimensions = (wanted: number | undefined, own: number): void => {
  if (wanted === undefined || wanted === own) return;
  throw refuse("dimensions", `dimensions must be ${own}, not ${wanted}: this model can't shorten its vectors.`);
};

/** The error for an invalid field. */
export const refuse = (param: string, message: string): AppError =>
  new AppError("invalid_request", message, { source: "node", param });

/**
 * The error for a text that is longer than the model's context. Clients recognise it by its first words, which OpenAI
 * and vLLM also use; LangChain looks for the code at the end.
 */
export const contextOverflow = (contextWindow: number, what: string, param: string | undefined): AppError =>
  new AppError(
    "context_length_exceeded",
    `This model's maximum context length is ${contextWindow} tokens. ${what} (context_length_exceeded)`,
    { source: "node", param },
  );

/** `tokens` is the length of the input as text: "600", or "at least 600". */
export const inputTooLong = (contextWindow: number, tokens: string, param: string): AppError =>
  contextOverflow(contextWindow, `${param} has ${tokens}. Shorten it, or split it.`, param);

/** The body with the schema's type, without null fields. */
const read = <T extends TSchema>(schema: T, body: Fields): Static<T> => {
  const value = withoutNulls(body, NESTED);
  const [error] = Value.Errors(schema, value);
  if (error) throw explain(error);
  return value as Static<T>;
};

interface Nested {
  [name: string]: Nested;
}
/** The fields whose own null fields are omitted too. In a JSON schema, null is a value. */
const NESTED: Nested = { messages: { content: {} }, stream_options: {}, response_format: { json_schema: {} } };

const withoutNulls = (fields: Fields, nested: Nested): Fields =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => {
      if (value === null || value === undefined) return [];
      const inner = ownValue(nested, name);
      if (!inner) return [[name, value]];
      const withoutInner = (item: unknown) => (isFields(item) ? withoutNulls(item, inner) : item);
      return [[name, Array.isArray(value) ? value.map(withoutInner) : withoutInner(value)]];
    }),
  );
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Of a union, the problem with the variant that has the value's type, and first of all the wrong `type` of a part. */
const explain = (error: ValueError): AppError => {
  const { type, schema, path, value } = error;
  const kind = Array.isArray(value) ? "array" : typeof value;
  const meant = (schema.anyOf ?? []).findIndex((variant: TSchema) => variant.type === kind && !("const" in variant));
  const inner = [...(error.errors[meant] ?? [])];
  const worst = inner.find((each) => each.type === ValueErrorType.Literal) ?? inner[0];
  if (worst) return explain(worst);
  const param = path.slice(1).replaceAll("/", ".");
  if (type === ValueErrorType.ObjectAdditionalProperties)
    return refuse(param, `${param} is not supported by this model. Leave it out.`);
  if (value === undefined) return refuse(param, `${param} is missing.`);
  if (type === ValueErrorType.StringFormat)
    return refuse(param, `${param} contains an unpaired surrogate. Send valid Unicode.`);
  return refuse(param, `${param} must be ${accepted(schema)}, not ${shown(value)}.`);
};

/** Describes what a schema accepts: "a whole number from 0 to 20". */
const accepted = ({ anyOf, type, minimum, maximum, minItems, maxItems, ...schema }: TSchema): string => {
  if (anyOf) return anyOf.map(accepted).join(" or ");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (type === "boolean") return "true or false";
  if (type === "string") return schema.minLength ? "a non-empty string" : "a string";
  if (type === "array") return `a list of ${minItems ?? 0} to ${maxItems ?? "any number of"} items`;
  if (type === "object") return "an object";
  return `a ${type === "integer" ? "whole number" : "number"} from ${minimum}${maximum === undefined ? "" : ` to ${maximum}`}`;
};

/** A value in an error message: short, and on one line. */
const shown = (value: unknown): string => {
  const json = JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 57)}…` : json;
};
