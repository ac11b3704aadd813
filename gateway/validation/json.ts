import { AppError } from "../../lib/errors";

const decoder = new TextDecoder("utf-8", { fatal: true });
/** How JSON writes what no text may hold: NUL, where databases cut a text off, and half of a surrogate pair. */
const SUSPECT = /\\u(?:0000|d[89a-f])/i;
/** A JSON escape: `\u0000`, or a backslash and the character it escapes. */
const ESCAPE = /\\(?:u0000|.)/g;
/** Describing what is wrong with a body that is nested deeper would take longer than answering. */
const MAX_DEPTH = 100;
/** A shorter text can't be nested deep enough to hurt, and most are shorter. */
const HARMLESS_LENGTH = 2048;

/** A body's text. Throws invalid_request for invalid UTF-8, where `Request.text` would replace it. */
export const decodeText = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AppError("invalid_request", "The body is not valid UTF-8. Send JSON in UTF-8.", { cause });
  }
};

/** The text without the escapes that mean NUL. */
export const withoutNulEscapes = (text: string): string =>
  text.includes("\\u0000") ? text.replace(ESCAPE, (written) => (written === "\\u0000" ? "" : written)) : text;

/** The value of a JSON text, checked for depth and for text that can't be kept. Throws invalid_request. */
export const parseJson = (text: string): unknown => {
  const value = parse(text);
  if (text.length >= HARMLESS_LENGTH && isDeeper(value, MAX_DEPTH)) {
    throw new AppError("invalid_request", `The body is nested more than ${MAX_DEPTH} levels deep.`);
  }
  if (text.includes("\\u") && SUSPECT.test(text)) refuseBadText(value);
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

/** Refuses NUL and halves of surrogate pairs in the texts of a body, by the name of the field. Throws invalid_request. */
export const refuseBadText = (body: unknown): void => {
  const found = findBadText(body, "");
  if (!found) return;
  const { path, what } = found;
  throw new AppError("invalid_request", `${path || "The body"} holds ${what}.`, { param: path || undefined });
};

const badIn = (text: string): string | undefined => {
  if (text.includes("\0")) return "the character NUL, which can't be kept";
  return text.isWellFormed() ? undefined : "half of a surrogate pair, which is no character";
};

const findBadText = (value: unknown, path: string): { path: string; what: string } | undefined => {
  if (typeof value === "string") {
    const what = badIn(value);
    return what === undefined ? undefined : { path, what };
  }
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const what = badIn(name);
    const found = what === undefined ? findBadText(inner, path ? `${path}.${name}` : name) : { path, what };
    if (found) return found;
  }
  return undefined;
};
