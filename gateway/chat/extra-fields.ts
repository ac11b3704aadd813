import type { TSchema } from "@sinclair/typebox";
import { AppError } from "../../lib/errors";
import { NEVER_FORWARDED } from "../../lib/forwarded-fields";
import { UNSUPPORTED } from "../contract";
import { ChatCompletionRequest, CompletionRequest } from "./contract";
import { EXTRA, type GenerationRequest, type Operation } from "./request";

/** Maximum size of one value as JSON. */
const MAX_VALUE_BYTES = 65_536;
/** Maximum nesting depth of values for the model's server. */
export const MAX_LEVELS = 32;
/** Maximum number and length of the variables in `chat_template_kwargs`. */
const MAX_VARIABLES = 32;
const MAX_VARIABLE_LENGTH = 1000;

const TEMPLATE_VARIABLES = "chat_template_kwargs";

/** Fields about messages, templates and reasoning. Servers ignore them in text completions. */
const CHAT_ONLY = new Set([
  TEMPLATE_VARIABLES,
  "add_generation_prompt",
  "continue_final_message",
  "include_reasoning",
  "reasoning_format",
  "separate_reasoning",
  "stream_reasoning",
  "thinking_token_budget",
]);

/**
 * Names that `chat_template_kwargs` must not contain. Servers pass its variables as arguments to the function that
 * renders the template, and that function has parameters with these names. `chat_template` would replace the template.
 */
const RESERVED_VARIABLES = new Set([
  "add_generation_prompt",
  "chat_template",
  "continue_final_message",
  "conversation",
  "documents",
  "max_length",
  "messages",
  "padding",
  "return_dict",
  "return_tensors",
  "tokenize",
  "tokenizer_kwargs",
  "tools",
  "truncation",
]);

const SCHEMAS: Readonly<Record<Operation, TSchema>> = { chat: ChatCompletionRequest, completion: CompletionRequest };

/** Whether the gateway's own API doesn't have this field, or only refuses it. */
const isForeign = (operation: Operation, name: string): boolean => {
  const { properties } = SCHEMAS[operation];
  return !Object.hasOwn(properties, name) || properties[name][UNSUPPORTED] === true;
};

/**
 * Moves `accepted` fields, which only the model's server knows, to `body[EXTRA]`, where the schema doesn't check them.
 * Throws invalid_request for a value that is too large, nested too deeply or not allowed, and for fields that are never
 * forwarded.
 */
export const takeExtraFields = (
  operation: Operation,
  body: Record<string, unknown> & Pick<GenerationRequest, typeof EXTRA>,
  accepted: readonly string[],
): void => {
  const forbidden = NEVER_FORWARDED.find((name) => Object.hasOwn(body, name));
  if (forbidden !== undefined) throw neverForwarded(forbidden);
  const extra: Record<string, unknown> = {};
  for (const name of accepted) {
    if (!Object.hasOwn(body, name) || !isForeign(operation, name)) continue;
    if (operation === "completion" && CHAT_ONLY.has(name)) continue;
    const value = body[name];
    delete body[name];
    if (value === null) continue;
    if (name === TEMPLATE_VARIABLES) checkVariables(value);
    else checkValue(name, value);
    extra[name] = value;
  }
  if (Object.keys(extra).length > 0) body[EXTRA] = extra;
};

const invalid = (param: string, message: string): AppError => new AppError("invalid_request", message, { param });

const neverForwarded = (name: string): AppError =>
  invalid(
    name,
    `${name} is never passed to a model's server, because it could bypass the model's template or make the server load or run something. Leave it out.`,
  );

export const levelsOf = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? 1 + Object.values(value).reduce<number>((deepest, inner) => Math.max(deepest, levelsOf(inner)), 0)
    : 0;

const checkValue = (name: string, value: unknown): void => {
  if (levelsOf(value) > MAX_LEVELS) throw invalid(name, `${name} is nested more than ${MAX_LEVELS} levels deep.`);
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > MAX_VALUE_BYTES)
    throw invalid(name, `${name} has ${bytes} bytes as JSON. The limit is ${MAX_VALUE_BYTES}.`);
};

const checkVariables = (value: unknown): void => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(TEMPLATE_VARIABLES, `${TEMPLATE_VARIABLES} must be an object.`);
  }
  const variables = Object.entries(value);
  if (variables.length > MAX_VARIABLES) {
    throw invalid(TEMPLATE_VARIABLES, `${TEMPLATE_VARIABLES} must have at most ${MAX_VARIABLES} fields.`);
  }
  for (const [name, inner] of variables) {
    const param = `${TEMPLATE_VARIABLES}.${name.slice(0, 64)}`;
    if (RESERVED_VARIABLES.has(name)) throw invalid(param, `${param} is not allowed. Leave it out.`);
    if (typeof inner === "object" && inner !== null) {
      throw invalid(param, `${param} must be a string, a number, true, false or null.`);
    }
    if (name.length > 64 || String(inner).length > MAX_VARIABLE_LENGTH) {
      throw invalid(
        param,
        `${param} is too long. Values may have up to ${MAX_VARIABLE_LENGTH} characters, and names up to 64.`,
      );
    }
  }
};
