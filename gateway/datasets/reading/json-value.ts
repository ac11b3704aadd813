import { findJsonProblem, type JsonProblem } from "./json-problem";
import { FORBIDDEN_NAMES, MAX_DEPTH } from "./limits";

/** `value` is undefined where there is a problem. */
export interface ParsedJson {
  value?: unknown;
  problem?: JsonProblem;
}

/** JSON with at most 100 levels and no names that mean something on JavaScript's own objects; or where it goes wrong. */
export const parseJson = (text: string): ParsedJson => {
  try {
    const value: unknown = JSON.parse(text);
    if (isHarmless(value, MAX_DEPTH)) return { value };
  } catch {
    // What is wrong and where is found below.
  }
  return { problem: findJsonProblem(text) ?? { at: 0, message: "this is not JSON" } };
};

const isHarmless = (value: unknown, levels: number): boolean => {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) return value.every((item) => isHarmless(item, levels - 1));
  return Object.entries(value).every(([name, inner]) => !FORBIDDEN_NAMES.has(name) && isHarmless(inner, levels - 1));
};
