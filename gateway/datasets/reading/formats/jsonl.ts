import { isOverBytes, problemIn, type ReadingLimits, rowTooLong, tooManyEmptyLines } from "../limits";
import type { RawRow, Warn } from "../rows";
import { BOM } from "../text";
import { jsonRow } from "./json-value";
import { TextWindow } from "./text-window";

/** JSON list syntax that is not JSON Lines: brackets or commas on their own lines. */
const LIST_LINE = /^\s*[[\],]\s*$/;
const LINE_BREAK = /\r?\n$|\r$/;

/**
 * Reads JSON Lines: one object per line. Empty lines and JSON list syntax are skipped. Throws payload_too_large for too
 * many empty lines.
 */
export async function* readJsonl(
  texts: AsyncIterable<string>,
  limits: ReadingLimits,
  warn: Warn,
): AsyncGenerator<RawRow> {
  const window = new TextWindow(texts, limits);
  let empty = 0;
  while (await window.fill()) {
    const { line } = window.place;
    let end = window.endOfLine(window.at);
    while (end === undefined && (await window.more())) end = window.endOfLine(window.at);
    const text = window.text.slice(window.at, end).replace(LINE_BREAK, "");
    await window.skipLine();
    if (isOverBytes(text, limits.maxRowBytes)) {
      yield { line, problem: { column: null, message: problemIn(rowTooLong(limits)) } };
    } else if (text.trim() === "") {
      if (++empty > limits.maxRows) throw tooManyEmptyLines(limits, line);
    } else if (LIST_LINE.test(text)) {
      warn({ line, column: null, message: "a bracket or comma of a JSON list was skipped. JSON Lines don't need it." });
    } else yield jsonRow(withoutComma(text, line, warn), { line, character: 1 }, warn);
  }
}

/** Also drops a byte order mark before the row, which concatenated files contain. */
const withoutComma = (line: string, number: number, warn: Warn): string => {
  const text = line.startsWith(BOM) ? line.slice(BOM.length) : line;
  if (!text.trimEnd().endsWith(",")) return text;
  warn({ line: number, column: null, message: "a comma after a row was skipped. JSON Lines don't need it." });
  return text.slice(0, text.lastIndexOf(","));
};
