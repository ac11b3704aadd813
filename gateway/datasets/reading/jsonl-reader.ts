import { jsonRow } from "./json-row";
import { isOverBytes, type ReadingLimits, rowTooLong, tooManyEmptyLines } from "./limits";
import type { RawRow } from "./rows";

/** JSON Lines: an object on each line, empty lines are passed over. Throws payload_too_large at a line over the limit. */
export async function* readJsonl(texts: AsyncIterable<string>, limits: ReadingLimits): AsyncGenerator<RawRow> {
  let empty = 0;
  for await (const { line, text } of splitLines(texts, limits)) {
    if (text.trim() !== "") yield jsonRow(text, { line, character: 1 });
    else if (++empty > limits.maxRows) throw tooManyEmptyLines(limits, line);
  }
}

/** LF, CRLF and CR end a line, also where a piece ends between CR and LF. */
async function* splitLines(
  texts: AsyncIterable<string>,
  limits: ReadingLimits,
): AsyncGenerator<{ line: number; text: string }> {
  let line = 1;
  let begun = "";
  let isAfterCr = false;
  for await (const text of texts) {
    if (text === "") continue;
    let start = isAfterCr && text.startsWith("\n") ? 1 : 0;
    for (let end = breakAt(text, start); end >= 0; end = breakAt(text, start)) {
      const whole = begun + text.slice(start, end);
      if (isOverBytes(whole, limits.maxRowBytes)) throw rowTooLong(limits, { line });
      yield { line, text: whole };
      begun = "";
      line++;
      start = text.startsWith("\r\n", end) ? end + 2 : end + 1;
    }
    begun += text.slice(start);
    if (begun.length > limits.maxRowBytes) throw rowTooLong(limits, { line });
    isAfterCr = text.endsWith("\r");
  }
  if (begun !== "") yield { line, text: begun };
}

const breakAt = (text: string, from: number): number => {
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10 || code === 13) return i;
  }
  return -1;
};
