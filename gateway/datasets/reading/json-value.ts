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
 * number that JavaScript would print with other digits is a `NumberText`.
 */
export const parseJson = (text: string): ParsedJson => {
  try {
    const value = parseExact(text);
    if (isHarmless(value, MAX_DEPTH)) return { value };
  } catch {
    // What is wrong and where is found below.
  }
  return { problem: findJsonProblem(text) ?? { at: 0, message: "this is not JSON" } };
};

/**
 * Digits that a double may lose or print in another way: 16 or more of them, zeros at the end of a fraction or the
 * beginning of a small one, an exponent, -0. They may also be digits in a string; then only time is lost.
 */
const MAY_LOSE_DIGITS = /\d{16}|[\d.]{17}|\.\d*0(?!\d)|0\.0{6}|\d[eE][+-]?\d|-0(?![.\d])/;

/** `JSON.parse` that keeps the digits of numbers. Throws SyntaxError. */
export const parseExact = (text: string): unknown =>
  MAY_LOSE_DIGITS.test(text) ? JSON.parse(text, keepDigits) : JSON.parse(text);

/** `source` is what the file writes for a value that is no list or object. */
const keepDigits = (_name: string, value: unknown, { source }: { source?: string } = {}): unknown =>
  typeof value === "number" && source !== undefined && source !== String(value) ? new NumberText(source) : value;

const isHarmless = (value: unknown, levels: number): boolean => {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isHarmless(item, levels - 1));
  return Object.entries(value).every(([name, inner]) => !FORBIDDEN_NAMES.has(name) && isHarmless(inner, levels - 1));
};
