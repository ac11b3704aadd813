import { AppError } from "../../lib/errors";

const decoder = new TextDecoder("utf-8", { fatal: true });
/** How JSON writes what no text may hold: NUL, where databases cut a text off, and half of a surrogate pair. */
const SUSPECT = /\\u(?:0000|d[89a-f])/i;
/** A JSON escape: `\u0000`, or a backslash and the character it escapes. */
const ESCAPE = /\\(?:u0000|.)/g;
/** No body below the size at which its depth is checked is nested deeper; see `depth.ts`. */
const MAX_DEPTH = 2048;

/**
 * Replaces `Request.json`. Returns undefined for an empty body; rejects invalid UTF-8 where `Request.json` would replace it.
 * Throws invalid_request.
 */
export async function readJson(this: Request): Promise<unknown> {
  return parse(decode(await this.bytes()));
}

/** Like `readJson`, but removes NUL from every string: text extracted from PDFs can contain it, and models can't use it. */
export async function readJsonWithoutNul(this: Request): Promise<unknown> {
  const text = decode(await this.bytes());
  return parse(
    text.includes("\\u0000") ? text.replace(ESCAPE, (written) => (written === "\\u0000" ? "" : written)) : text,
  );
}

const parse = (text: string): unknown => {
  if (text === "") return undefined;
  const value: unknown = JSON.parse(text);
  if (text.includes("\\u") && SUSPECT.test(text)) refuseBadText(value);
  return value;
};

const decode = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new AppError("invalid_request", "The body is not valid UTF-8. Send JSON in UTF-8.", { cause });
  }
};

/** Refuses NUL and halves of surrogate pairs in the texts of a body, by the name of the field. Throws invalid_request. */
export const refuseBadText = (body: unknown): void => {
  const found = findBadText(body, "", MAX_DEPTH);
  if (!found) return;
  const { path, what } = found;
  throw new AppError("invalid_request", `${path || "The body"} holds ${what}.`, { param: path || undefined });
};

const badIn = (text: string): string | undefined => {
  if (text.includes("\0")) return "the character NUL, which can't be kept";
  return text.isWellFormed() ? undefined : "half of a surrogate pair, which is no character";
};

const findBadText = (value: unknown, path: string, levels: number): { path: string; what: string } | undefined => {
  if (typeof value === "string") {
    const what = badIn(value);
    return what === undefined ? undefined : { path, what };
  }
  if (typeof value !== "object" || value === null || levels === 0) return undefined;
  for (const [name, inner] of Object.entries(value)) {
    const what = badIn(name);
    const found = what === undefined ? findBadText(inner, path ? `${path}.${name}` : name, levels - 1) : { path, what };
    if (found) return found;
  }
  return undefined;
};
