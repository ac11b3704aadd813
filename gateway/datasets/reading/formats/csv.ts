import { formatCount, invalid, type ReadingLimits } from "../limits";
import type { RawRow, Warn } from "../rows";
import { detectDelimiter } from "./csv-delimiter";
import { CsvParser } from "./csv-parser";
import { readHeader } from "./header";
import { TextWindow } from "./text-window";

/**
 * Reads CSV whose first record names the columns. The delimiter is a comma, semicolon or tab, or what a `sep=` line
 * declares. Unnamed columns and empty cells at the end of a row are skipped. Throws dataset_invalid if no column has a
 * name, payload_too_large for too many columns.
 */
export async function* readCsv(
  texts: AsyncIterable<string>,
  limits: ReadingLimits,
  warn: Warn,
): AsyncGenerator<RawRow> {
  const window = new TextWindow(texts, limits);
  await window.fill();
  const { delimiter, declaration } = detectDelimiter(window.text);
  window.passTo(declaration.length);
  const parser = new CsvParser(window, delimiter, limits);
  let header: Header | undefined;
  for await (const record of parser.records()) {
    const { line } = record;
    if (!header) {
      const cells = "cells" in record ? record.cells : cellsWithoutQuotes(record, delimiter, warn);
      const opened = new Header(cells, { line, limits, warn });
      parser.fits = (other) => opened.fits(other);
      parser.width = cells.length;
      header = opened;
    } else if ("message" in record) {
      const problem = { column: header.nameAt(record.index), message: record.message };
      yield { line, columns: header.names, problem };
    } else if (delimiter === "|" && record.cells.every((cell) => MARKDOWN_RULE.test(cell))) {
      warn({ line, column: null, message: "the line below the header of a Markdown table is left out." });
    } else {
      const row = header.row(record.cells, line);
      if (row) yield row;
    }
  }
}

/** A cell of the line below the header of a Markdown table. The outer bars make empty cells. */
const MARKDOWN_RULE = /^\s*(:?-+:?)?\s*$/;

/** Splits a header with broken quotes as if it were unquoted, because the column names are needed. */
const cellsWithoutQuotes = (
  { line, message, text }: { line: number; message: string; text: string },
  delimiter: string,
  warn: Warn,
): string[] => {
  warn({ line, column: null, message: `the header has broken quotes: ${message}` });
  return text.split(delimiter).map((cell) => cell.replaceAll('"', ""));
};

class Header {
  readonly names: readonly string[];
  readonly #places: readonly number[];
  readonly #needed: number;
  readonly #warn: Warn;

  /** Throws dataset_invalid if no column has a name. */
  constructor(
    private readonly cells: readonly string[],
    { line, limits, warn }: { line: number; limits: ReadingLimits; warn: Warn },
  ) {
    const { names, places } = readHeader(cells, limits, warn, line);
    if (names.length === 0) throw invalid("no column has a name. Name them in the first line.", { line });
    this.names = names;
    this.#places = places;
    this.#needed = (places.at(-1) ?? 0) + 1;
    this.#warn = warn;
  }

  /** Cells without a column may be missing or extra. */
  fits(record: readonly string[]): boolean {
    const { length } = this.cells;
    return (
      record.length >= this.#needed && (record.length <= length || record.slice(length).every((cell) => cell === ""))
    );
  }

  nameAt(index: number | null): string | null {
    if (index === null) return null;
    return this.names[this.#places.indexOf(index)] ?? String(index + 1);
  }

  /** Undefined for a repeated header, as in concatenated files. */
  row(record: readonly string[], line: number): RawRow | undefined {
    const columns = this.names;
    if (!this.fits(record)) return { line, columns, problem: { column: null, message: this.#ragged(record.length) } };
    if (record.length > this.cells.length) {
      this.#warn({ line, column: null, message: "empty cells after the last column are left out." });
    } else if (record.length === this.cells.length && record.every((cell, i) => cell === this.cells[i])) {
      this.#warn({ line, column: null, message: "the header is repeated here. This line is left out." });
      return undefined;
    }
    const isPlain = this.#places.length === record.length;
    return { line, columns, values: isPlain ? record : this.#places.map((place) => record[place]) };
  }

  #ragged(cells: number): string {
    const count = `the row has ${formatCount(cells)} ${cells === 1 ? "cell" : "cells"}`;
    const advice = cells < this.cells.length ? "Add the missing cells." : "Quote cells that contain delimiters.";
    return `${count}, but the header has ${formatCount(this.cells.length)}. ${advice}`;
  }
}
