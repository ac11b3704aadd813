import type { Static, TSchema } from "@sinclair/typebox";
import type { TypeCheck } from "@sinclair/typebox/compiler";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/value";
import { AppError } from "../../lib/errors";
import { ownValue } from "../../lib/own-value";

/** The fields of a JSON body. */
export type Fields = Record<string, unknown>;

/** The error for an invalid field. */
export const invalidField = (param: string, message: string): AppError =>
  new AppError("invalid_request", message, { source: "node", param });

/**
 * The error for input that is longer than the model's context window. Clients recognise it by its first words, which
 * OpenAI and vLLM also use. LangChain looks for the code at the end.
 */
export const contextOverflow = (contextWindow: number, what: string, param: string | undefined): AppError =>
  new AppError(
    "context_length_exceeded",
    `This model's maximum context length is ${contextWindow} tokens. ${what} (context_length_exceeded)`,
    { source: "node", param },
  );

/** The error for one input that is too long. `tokens` describes its length: "600" or "at least 600". */
export const inputTooLong = (contextWindow: number, tokens: string, param: string): AppError =>
  contextOverflow(contextWindow, `${param} has ${tokens} tokens. Shorten it or split it.`, param);

/** Validates a body and returns it without null fields. Throws the error for the first invalid field. */
export const readFields = <T extends TSchema>(check: TypeCheck<T>, body: Fields): Static<T> => {
  const value = withoutNulls(body, NESTED);
  if (check.Check(value)) return value;
  const [error] = check.Errors(value);
  throw explain(error as ValueError);
};

interface Nested {
  [name: string]: Nested;
}
/** Fields inside which null also means omitted. Inside a JSON schema, null is a value. */
const NESTED: Nested = {
  messages: { content: {}, tool_calls: { function: {} } },
  stream_options: {},
  response_format: { json_schema: {} },
  tools: { function: {} },
};

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

/** Maximum number of problems compared inside a variant: a long list of invalid tokens has one problem per token. */
const MAX_PROBLEMS = 100;

/** Converts a schema error to an AppError. For a union, it reports the problem in the variant with the value's type. */
const explain = (error: ValueError): AppError => {
  const { type, schema, path, value } = error;
  const kind = Array.isArray(value) ? "array" : typeof value;
  const matching = (schema.anyOf ?? []).findIndex((variant: TSchema) => variant.type === kind && !("const" in variant));
  const problems = Iterator.from(error.errors[matching] ?? []).take(MAX_PROBLEMS);
  const inner = [...problems].filter((each) => each.path !== path || isUnicodeProblem(each));
  const reported = inner.find((each) => each.type === ValueErrorType.Literal) ?? inner[0];
  if (reported) return explain(reported);
  const param = path.slice(1).replaceAll("/", ".");
  if (type === ValueErrorType.ObjectAdditionalProperties)
    return invalidField(param, `${param} is not supported by this model. Leave it out.`);
  if (value === undefined) return invalidField(param, `${param} is missing. Expected ${accepted(schema)}.`);
  if (isUnicodeProblem(error))
    return invalidField(param, `${param} contains an unpaired surrogate. Send valid Unicode.`);
  return invalidField(param, `${param} must be ${accepted(schema)}, not ${shown(value)}.`);
};

const isUnicodeProblem = ({ type }: ValueError) => type === ValueErrorType.StringFormat;

/** Describes what a schema accepts: "a whole number from 0 to 20". */
const accepted = (schema: TSchema): string => {
  const { anyOf, type, minimum, maximum, minLength, maxLength } = schema;
  if (schema.description) return schema.description;
  if (anyOf) return `${anyOf.slice(0, -1).map(accepted).join(", ")} or ${accepted(anyOf.at(-1))}`;
  if ("const" in schema) return JSON.stringify(schema.const);
  if (type === "boolean") return "true or false";
  if (type === "string" && maxLength) return `a string of ${minLength} to ${maxLength} characters`;
  if (type === "string") return minLength ? "a non-empty string" : "a string";
  if (type === "array") return acceptedList(schema);
  if (type === "object") return "an object";
  const number = type === "integer" ? "whole number" : "number";
  return maximum === undefined ? `a ${number} of at least ${minimum}` : `a ${number} from ${minimum} to ${maximum}`;
};

/** Describes which lists a schema accepts: "a list of up to 4 strings". */
const acceptedList = ({ items, minItems, maxItems }: TSchema): string => {
  const what = items.title ?? (items.minLength ? `non-empty ${items.type}s` : `${items.type}s`);
  if (maxItems === undefined) return `a non-empty list of ${what}`;
  return minItems ? `a list of ${minItems} to ${maxItems} ${what}` : `a list of up to ${maxItems} ${what}`;
};

/** Formats a value for an error message: short and on one line. */
export const shown = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value);
};
