import type { Static, TBoolean, TInteger, TNumber } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../lib/errors";

/** Readers of a request's fields. Each throws invalid_request that names the field in `param`. */
export type Fields = Record<string, unknown>;

/** The refusal of a field by its name. */
export const refuse = (param: string, message: string): AppError =>
  new AppError("invalid_request", message, { source: "node", param });

/**
 * The refusal of a text that is longer than the model's context. Clients recognise it by its first words, which OpenAI
 * and vLLM use too; LangChain looks for the code at the end.
 */
export const contextOverflow = (contextWindow: number, what: string, param: string | undefined): AppError =>
  new AppError(
    "context_length_exceeded",
    `This model's maximum context length is ${contextWindow} tokens. ${what} (context_length_exceeded)`,
    { source: "node", param },
  );

/** A value in an error message: short, and on one line. */
export const shown = (value: unknown): string => {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 57)}…` : json;
};

export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The value of a number or flag; undefined where there is none. */
export const readValue = <T extends TInteger | TNumber | TBoolean>(
  body: Fields,
  param: string,
  schema: T,
): Static<T> | undefined => {
  const value = body[param] ?? undefined;
  if (value === undefined || Value.Check(schema, value)) return value;
  throw refuse(param, `${param} must be ${accepted(schema)}, not ${shown(value)}.`);
};

const accepted = (schema: TInteger | TNumber | TBoolean): string => {
  if (schema.type === "boolean") return "true or false";
  return `a ${schema.type === "integer" ? "whole number" : "number"} from ${schema.minimum} to ${schema.maximum}`;
};

/** A field that is accepted only with the value that changes nothing. */
export const only = (body: Fields, param: string, allowed: unknown, why: string): void => {
  const value = body[param] ?? undefined;
  if (value !== undefined && value !== allowed) throw refuse(param, `${param} must be ${shown(allowed)}: ${why}`);
};

/** A text without halves of surrogate pairs. */
export const textOf = (value: unknown, param: string): string => {
  if (typeof value !== "string") throw refuse(param, `${param} must be a text, not ${shown(value)}.`);
  if (!value.isWellFormed()) throw refuse(param, `${param} holds half of a surrogate pair, which no text may.`);
  return value;
};

/** Refuses every other field that is there and not null; `hint` ends the reason. */
export const known = (fields: Fields, allowed: ReadonlySet<string>, prefix: string, hint: string): void => {
  for (const name of Object.keys(fields)) {
    if (!allowed.has(name) && fields[name] !== null) {
      throw refuse(`${prefix}${name}`, `${prefix}${name} is not supported${hint}. Leave it out.`);
    }
  }
};

/** The model's name, undefined for the default. */
export const readModel = (body: Fields): string | undefined => {
  const value = body.model ?? undefined;
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.length >= 1 && value.length <= 200) return value;
  throw refuse("model", `model must be the name of a model, not ${shown(value)}.`);
};
