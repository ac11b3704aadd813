import { isOverBytes, problemIn, type ReadingLimits, rowTooLong, tooManyEmptyLines } from "../limits";
import type { RawRow, Warn } from "../rows";
import { BOM, CR, LF } from "../text";
import { jsonRow } from "./json-value";

/** JSON list syntax that is not JSON Lines: brackets or commas on their own lines. */
const LIST_LINE = /^\s*[[\],]\s*$/;

/**
 * JSON Lines: an object on each line. Empty lines and JSON list syntax are skipped. Throws payload_too_large for too many
 * empty lines.
 */
export async function* readJsonl(
  texts: AsyncIterable<string>,
  limits: ReadingLimits,
  warn: Warn,
): AsyncGenerator<RawRow> {
  let empty = 0;
  for await (const { line, text } of splitLines(texts, limits)) {
    if (text === undefined) yield { line, problem: { column: null, message: problemIn(rowTooLong(limits)) } };
    else if (text.trim() === "") {
      if (++empty > limits.maxRows) throw tooManyEmptyLines(limits, line);
    } else if (LIST_LINE.test(text)) {
      warn({ line, column: null, message: "a bracket or comma of a JSON list was skipped. JSON Lines have none." });
    } else yield jsonRow(withoutComma(text, line, warn), { line, character: 1 });
  }
}

/** Also drops a byte order mark before the row, as in concatenated files. */
const withoutComma = (line: string, number: number, warn: Warn): string => {
  const text = line.startsWith(BOM) ? line.slice(BOM.length) : line;
  if (!text.trimEnd().endsWith(",")) return text;
  warn({ line: number, column: null, message: "a comma after a row was skipped. JSON Lines have none." });
  return text.slice(0, text.lastIndexOf(","));
};

/** Splits at LF, CRLF and CR, even if a chunk ends between CR and LF. `text` is undefined if the line is too long. */
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
    if (code === LF || code === CR) return i;
  }
  return -1;
};
