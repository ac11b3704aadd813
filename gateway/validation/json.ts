import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../lib/errors";
import { dotted, invalidRequest } from "./problems";

const decoder = new TextDecoder("utf-8", { fatal: true });
/** A field that would replace the prototype of an object that the body is copied to. */
const PROTOTYPE = "__proto__";
/** NUL, at which databases truncate text, lone surrogates, and `__proto__`, as they are written in JSON. */
const SUSPECT = /\\u(?:0000|d[89a-f]|00[2-7])|__proto__/i;
/** A JSON escape: `\u0000`, or a backslash and the character it escapes. */
const ESCAPE = /\\(?:u0000|.)/g;
/** Maximum nesting. In a more deeply nested body, finding the error would take longer than handling the request. */
const MAX_DEPTH = 100;
/** The schema's errors that are searched for the field with the bad text. */
const MAX_ERRORS = 1000;
/** Shorter text can't be nested too deeply, so the check is skipped. Most bodies are shorter. */
const HARMLESS_LENGTH = 2048;

/** A body's text. Throws invalid_request for invalid UTF-8, which `Request.text` would replace. */
export const decodeText = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AppError("invalid_request", "The body is not valid UTF-8. Send JSON in UTF-8.", { cause });
  }
};

/** The JSON text without its NUL escapes. */
export const withoutNulEscapes = (text: string): string =>
  text.includes("\\u0000") ? text.replace(ESCAPE, (written) => (written === "\\u0000" ? "" : written)) : text;

/**
 * Parses JSON. Throws invalid_request for invalid JSON, for too many levels, for text that can't be stored and for a
 * field `__proto__`. `schema` is only for the error message.
 */
export const parseJson = (text: string, schema?: TSchema): unknown => {
  const value = parse(text);
  if (text.length >= HARMLESS_LENGTH && isDeeper(value, MAX_DEPTH)) {
    throw new AppError("invalid_request", `The body is nested more than ${MAX_DEPTH} levels deep.`);
  }
  if ((text.includes("\\u") || text.includes(PROTOTYPE)) && SUSPECT.test(text)) refuseBadText(value, schema);
  return value;
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = "The body is not valid JSON. Check it for a missing quote or comma.";
    throw new AppError("invalid_request", message, { cause });
  }
};

const isDeeper = (value: unknown, levels: number): boolean => {
  if (typeof value !== "object" || value === null) return false;
  if (levels === 0) return true;
  for (const inner of Object.values(value)) if (isDeeper(inner, levels - 1)) return true;
  return false;
};

/**
 * Rejects NUL, lone surrogates and the field `__proto__` in a body. Throws invalid_request with the name of the field,
 * and says what `schema` expects there if that is not text.
 */
export const refuseBadText = (body: unknown, schema?: TSchema): void => {
  const found = findBadText(body, "");
  if (!found) return;
  const { path, what } = found;
  const errors = schema ? Value.Errors(schema, body) : [];
  const mismatch = Iterator.from(errors)
    .take(MAX_ERRORS)
    .find((error) => dotted(error.path) === path);
  if (path !== "" && mismatch) throw invalidRequest([mismatch]);
  throw new AppError("invalid_request", `${path || "The body"} contains ${what}.`, { param: path || undefined });
};

const badIn = (text: string): string | undefined => {
  if (text.includes("\0")) return "the character NUL, which can't be stored";
  return text.isWellFormed() ? undefined : "an unpaired surrogate, which is not valid Unicode";
};

const findBadText = (value: unknown, path: string): { path: string; what: string } | undefined => {
  if (typeof value === "string") {
    const what = badIn(value);
    return what === undefined ? undefined : { path, what };
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const what = name === PROTOTYPE ? `the field ${PROTOTYPE}, which is not allowed in requests` : badIn(name);
    const found = what === undefined ? findBadText(inner, path ? `${path}.${name}` : name) : { path, what };
    if (found) return found;
  }
  return undefined;
};
