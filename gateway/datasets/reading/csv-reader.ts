import { detectDelimiter } from "./csv-delimiter";
import { type CsvRecord, CsvSplitter } from "./csv-splitter";
import type { ReadingLimits } from "./limits";
import { checkHeader } from "./names";
import { formatCount } from "./problems";
import type { RawRow } from "./rows";

/** Characters in which the first line is looked for, to find out what separates its cells. */
const HEAD_LENGTH = 65_536;

/**
 * CSV whose first record names the columns, separated by comma, semicolon or tab. Throws dataset_invalid for names that
 * can't be and where quotes break, payload_too_large at a record over the limit.
 */
export async function* readCsv(texts: AsyncIterable<string>, limits: ReadingLimits): AsyncGenerator<RawRow> {
  let columns: readonly string[] | undefined;
  const columnAt = (index: number) => columns?.[index] ?? String(index + 1);
  for await (const { line, cells } of splitRecords(texts, limits, columnAt)) {
    if (!columns) {
      checkHeader(cells, line, limits);
      columns = cells;
    } else if (cells.length === columns.length) yield { line, columns, values: cells };
    else yield { line, columns, problem: { column: null, message: ragged(cells.length, columns.length) } };
  }
}

const ragged = (cells: number, columns: number): string =>
  `the row has ${formatCount(cells)} ${cells === 1 ? "cell" : "cells"}, and the header has ${formatCount(columns)}.`;

async function* splitRecords(
  texts: AsyncIterable<string>,
  limits: ReadingLimits,
  columnAt: (index: number) => string,
): AsyncGenerator<CsvRecord> {
  let splitter: CsvSplitter | undefined;
  for await (const text of withHead(texts)) {
    splitter ??= new CsvSplitter({ delimiter: detectDelimiter(text), limits, columnAt });
    yield* splitter.split(text);
  }
  if (splitter) yield* splitter.end();
}

/** The same text, with a first piece that is long enough to judge by. */
async function* withHead(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let head: string | undefined = "";
  for await (const text of texts) {
    if (head === undefined) yield text;
    else {
      head += text;
      if (head.length < HEAD_LENGTH) continue;
      yield head;
      head = undefined;
    }
  }
  if (head) yield head;
}
