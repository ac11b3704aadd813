import { jsonRow } from "./json-row";
import { isOverBytes, type ReadingLimits, rowTooLong, tooManyEmptyLines } from "./limits";
import { problemIn } from "./problems";
import type { RawRow, Warn } from "./rows";

/** What a JSON list has and JSON Lines do not: brackets on lines of their own, and commas behind the rows. */
const LIST_LINE = /^\s*[[\],]\s*$/;
const BOM = "\ufeff";

/**
 * JSON Lines: an object on each line, empty lines are passed over, and so is what makes a list of them. Throws
 * payload_too_large at too many empty lines.
 */
export async function* readJsonl(
  texts: AsyncIterable<string>,
  limits: ReadingLimits,
  warn: Warn,
): AsyncGenerator<RawRow> {
  let empty = 0;
  for await (const { line, text } of splitLines(texts, limits)) {
    if (text === undefined) yield { line, problem: { column: null, message: problemIn(rowTooLong(limits, {})) } };
    else if (text.trim() === "") {
      if (++empty > limits.maxRows) throw tooManyEmptyLines(limits, line);
    } else if (LIST_LINE.test(text)) {
      warn({ line, column: null, message: "a bracket or comma of a JSON list is passed over. JSON Lines have none." });
    } else yield jsonRow(withoutComma(text, line, warn), { line, character: 1 });
  }
}

/** A mark in front of the row, as where files were put together, is dropped too. */
const withoutComma = (line: string, number: number, warn: Warn): string => {
  const text = line.startsWith(BOM) ? line.slice(BOM.length) : line;
  if (!text.trimEnd().endsWith(",")) return text;
  warn({ line: number, column: null, message: "a comma behind a row is passed over. JSON Lines have none." });
  return text.slice(0, text.lastIndexOf(","));
};

/** LF, CRLF and CR end a line, also where a piece ends between CR and LF. `text` is undefined where the line is too long. */
async function* splitLines(
  texts: AsyncIterable<string>,
  limits: ReadingLimits,
): AsyncGenerator<{ line: number; text?: string }> {
  let line = 1;
  let begun = "";
  let isTooLong = false;
  let isAfterCr = false;
  for await (const text of texts) {
    if (text === "") continue;
    let start = isAfterCr && text.startsWith("\n") ? 1 : 0;
    for (let end = breakAt(text, start); end >= 0; end = breakAt(text, start)) {
      const whole = begun + text.slice(start, end);
      isTooLong ||= isOverBytes(whole, limits.maxRowBytes);
      yield { line, text: isTooLong ? undefined : whole };
      begun = "";
      isTooLong = false;
      line++;
      start = text.startsWith("\r\n", end) ? end + 2 : end + 1;
    }
    begun += text.slice(start);
    isTooLong ||= begun.length > limits.maxRowBytes;
    if (isTooLong) begun = "";
    isAfterCr = text.endsWith("\r");
  }
  if (begun !== "" || isTooLong) yield { line, text: isTooLong ? undefined : begun };
}

const breakAt = (text: string, from: number): number => {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10 || code === 13) return i;
  }
  return -1;
};
