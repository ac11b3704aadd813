import { findJsonProblem, type JsonProblem } from "./json-problem";
import { FORBIDDEN_NAMES, MAX_DEPTH } from "./limits";
import { NumberText } from "./number-text";

/** `value` is undefined where there is a problem. */
export interface ParsedJson {
  value?: unknown;
  problem?: JsonProblem;
}

/**
 * JSON with at most 100 levels and no names that mean something on JavaScript's own objects; or where it goes wrong. A
 * number that JavaScript would print with other digits is a `NumberText`; `NaN` and `Infinity` are text.
 */
export const parseJson = (text: string): ParsedJson => {
  const parsed = tryParse(text) ?? (NOT_FINITE.test(text) ? tryParse(quoteNotFinite(text)) : undefined);
  if (parsed && isHarmless(parsed.value, MAX_DEPTH)) return parsed;
  return { problem: findJsonProblem(text) ?? { at: 0, message: "this is not JSON" } };
};

const tryParse = (text: string): { value: unknown } | undefined => {
  try {
    return { value: parseExact(text) };
  } catch {
    return undefined;
  }
};

/** Numbers that JSON does not have, and that Python and JavaScript libraries write all the same. */
const NOT_FINITE = /NaN|Infinity/;
const STRING_OR_NOT_FINITE = /"[^"\\]*(?:\\.[^"\\]*)*(?:"|$)|(?<!-)\bNaN\b|-?\bInfinity\b/gs;

/** They are text, as from Parquet. */
const quoteNotFinite = (text: string): string =>
  text.replace(STRING_OR_NOT_FINITE, (found) => (found.startsWith('"') ? found : `"${found}"`));

/**
 * Digits that a double may lose or print differently: 16 or more of them, trailing zeros of a fraction, leading zeros of a
 * small one, an exponent, -0. A match inside a string costs only time.
 */
const MAY_LOSE_DIGITS = /\d{16}|[\d.]{17}|\.\d*0(?!\d)|0\.0{6}|\d[eE][+-]?\d|-0(?![.\d])/;

/** `JSON.parse` that keeps the digits of numbers. Throws SyntaxError. */
export const parseExact = (text: string): unknown =>
  MAY_LOSE_DIGITS.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);

/** `source` is the text of a primitive value in the file. */
const keepDigits = (_name: string, value: unknown, { source }: { source?: string } = {}): unknown =>
  typeof value === "number" && source !== undefined && source !== String(value) ? new NumberText(source) : value;

const isHarmless = (value: unknown, levels: number): boolean => {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isHarmless(item, levels - 1));
  return Object.entries(value).every(([name, inner]) => !FORBIDDEN_NAMES.has(name) && isHarmless(inner, levels - 1));
};
