import { AppError } from "../../lib/errors";

const decoder = new TextDecoder("utf-8", { fatal: true });
/** A field that would replace the prototype of an object that the body is copied to. */
const PROTOTYPE = "__proto__";
/** NUL, at which databases truncate text, lone surrogates, and `__proto__`, as they are written in JSON. */
const SUSPECT = /\\u(?:0000|d[89a-f]|00[2-7])|__proto__/i;
/** A JSON escape: `\u0000`, or a backslash and the character it escapes. */
const ESCAPE = /\\(?:u0000|.)/g;
/** Maximum nesting. In a more deeply nested body, finding the error would take longer than handling the request. */
const MAX_DEPTH = 100;
/** Text shorter than this can't be nested too deeply, so it isn't checked. Most bodies are shorter. */
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
 * Parses JSON. Throws invalid_request for invalid JSON, too many levels, text that can't be stored, and a field
 * `__proto__`.
 */
export const parseJson = (text: string): unknown => {
  const value = parse(text);
  if (text.length >= HARMLESS_LENGTH && isDeeper(value, MAX_DEPTH)) {
    throw new AppError("invalid_request", `The body is nested more than ${MAX_DEPTH} levels deep.`);
  }
  if ((text.includes("\\u") || text.includes(PROTOTYPE)) && SUSPECT.test(text)) refuseBadText(value);
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

/** Rejects NUL, lone surrogates and the field `__proto__` in a body. Throws invalid_request, naming the field. */
export const refuseBadText = (body: unknown): void => {
  const found = findBadText(body, "");
  if (!found) return;
  const { path, what } = found;
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
