import { parseJson } from "./json-value";
import { placeIn } from "./line-counter";
import { NumberText } from "./number-text";
import type { RawRow } from "./rows";

/** The text of a row that begins at `line` and `character` of the file. It has to be an object. */
export const jsonRow = (text: string, start: { line: number; character: number }): RawRow => {
  const { value, problem } = parseJson(text);
  if (problem) {
    const { line, character } = placeIn(text, problem.at, start);
    return { line, problem: { column: null, message: `character ${character}: ${problem.message}.` } };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof NumberText) {
    const found = Array.isArray(value) ? "a list" : String(value).slice(0, 60);
    return { line: start.line, problem: { column: null, message: `a row must be an object, not ${found}.` } };
  }
  return { line: start.line, columns: Object.keys(value), values: Object.values(value) };
};
