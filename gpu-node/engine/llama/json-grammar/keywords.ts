import { AppError } from "../../../../lib/errors";
import { BOUND_KEYWORDS } from "./numbers";

export type Schema = Record<string, unknown>;

/** The keywords of each type that a grammar can enforce. */
export const KEYWORDS: Record<string, readonly string[]> = {
  string: ["minLength", "maxLength", "format"],
  number: [...BOUND_KEYWORDS, "multipleOf"],
  integer: [...BOUND_KEYWORDS, "multipleOf"],
  array: ["items", "prefixItems", "minItems", "maxItems"],
  object: ["properties", "required", "additionalProperties"],
  boolean: [],
  null: [],
};

/** Maximum length or item count, because llama.cpp expands every repetition into rules. */
const MAX_REPETITIONS = 2000;

/** The types that a schema allows; undefined if it names none. Throws invalid_request. */
export const typesOf = ({ type }: Schema, path: string): string[] | undefined => {
  if (type === undefined) return undefined;
  // Without repetitions, so that no part of a schema is read more than once.
  const types: unknown[] = Array.isArray(type) ? [...new Set(type)] : [type];
  const isKnown = (name: unknown): name is string => typeof name === "string" && Object.hasOwn(KEYWORDS, name);
  if (types.length === 0 || !types.every(isKnown))
    return reject(`${path}.type`, `must be one of these types, or a list of them: ${Object.keys(KEYWORDS).join(", ")}`);
  return types;
};

export const isOfType = (value: unknown, type: string): boolean => {
  if (type === "integer") return Number.isInteger(value);
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isSchema(value);
  return typeof value === type;
};

/** The value of a keyword that limits a length or a number of items. Throws invalid_request. */
export const count = (schema: Schema, keyword: string, path: string): number | undefined => {
  const value = schema[keyword];
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= MAX_REPETITIONS) return value;
  return reject(`${path}.${keyword}`, `must be a whole number from 0 to ${MAX_REPETITIONS}`);
};

export const isSchema = (value: unknown): value is Schema =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Throws invalid_request. */
export const reject = (path: string, problem: string): never => {
  throw new AppError("invalid_request", `${path} ${problem}.`, { param: path });
};
