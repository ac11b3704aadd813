import type { AppError } from "../../../lib/errors";
import { type ReadingLimits, rowTooLong, tooManyEmptyLines } from "./limits";
import { LineCounter } from "./line-counter";
import { invalid, type Place } from "./problems";

export interface CsvRecord {
  /** Where it begins. */
  line: number;
  cells: string[];
}

const QUOTE = '"';
const LF = 10;
const CR = 13;

interface SplitterOptions {
  delimiter: string;
  limits: ReadingLimits;
  /** The name of the column at `index`, for messages. */
  columnAt(index: number): string | undefined;
}

/**
 * Splits CSV that arrives in pieces into records, by RFC 4180; LF and CR alone end a record too. A quote in a cell that
 * does not begin with one is text. Records without any text are passed over. Throws dataset_invalid at text behind a
 * closing quote and at a quote that never closes, payload_too_large at a record over the limit.
 */
export class CsvSplitter {
  readonly #place = new LineCounter();
  readonly #delimiter: number;
  #cells: string[] = [];
  #cell = "";
  /** Of the cell: before its first character, in text without quotes, in quotes, behind the closing quote. */
  #state: "start" | "plain" | "quoted" | "closed" = "start";
  #openedAt: Place = { line: 1 };
  #recordLine = 1;
  #recordLength = 0;
  #isAfterCr = false;
  #empty = 0;

  constructor(private readonly options: SplitterOptions) {
    this.#delimiter = options.delimiter.charCodeAt(0);
  }

  *split(text: string): Generator<CsvRecord> {
    let at = 0;
    while (at < text.length) {
      if (this.#state === "quoted") {
        const quote = text.indexOf(QUOTE, at);
        const end = quote < 0 ? text.length : quote;
        this.#cell += this.#pass(text.slice(at, end));
        at = end;
        if (quote < 0) break;
        this.#pass(QUOTE);
        this.#state = "closed";
        at++;
      } else if (text[at] === QUOTE && this.#state !== "plain") {
        this.#openQuote();
        at++;
      } else {
        const end = this.#endOfCell(text, at);
        if (end > at) this.#addPlain(text.slice(at, end));
        at = end + 1;
        const record = end < text.length ? this.#endCell(text.charAt(end)) : undefined;
        if (record) yield record;
      }
    }
    if (this.#recordLength > this.options.limits.maxRowBytes) throw this.#tooLong();
  }

  /** The last record, where no line break ends it. */
  *end(): Generator<CsvRecord> {
    if (this.#state === "quoted") {
      throw invalid(
        "a quote opens here and never closes. Close it, or double the quotes inside of it.",
        this.#openedAt,
      );
    }
    const record = this.#endRecord();
    if (record) yield record;
  }

  #pass(text: string): string {
    this.#place.pass(text);
    this.#recordLength += text.length;
    return text;
  }

  /** The first quote of a cell, or the second of two that stand for one. */
  #openQuote(): void {
    if (this.#state === "closed") this.#cell += QUOTE;
    else this.#openedAt = this.#here();
    this.#pass(QUOTE);
    this.#state = "quoted";
  }

  #addPlain(text: string): void {
    if (this.#state === "closed") {
      throw invalid("text stands behind the closing quote. Double the quotes inside of a quoted cell.", this.#here());
    }
    this.#cell += this.#pass(text);
    this.#state = "plain";
  }

  #endOfCell(text: string, from: number): number {
    for (let i = from; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === this.#delimiter || code === LF || code === CR) return i;
    }
    return text.length;
  }

  #endCell(separator: string): CsvRecord | undefined {
    const isHalfOfCrlf = separator === "\n" && this.#isAfterCr && this.#state === "start" && this.#cells.length === 0;
    this.#isAfterCr = separator === "\r";
    this.#pass(separator);
    if (isHalfOfCrlf) this.#begin();
    else if (separator === this.options.delimiter) {
      this.#cells.push(this.#cell);
      this.#cell = "";
      this.#state = "start";
    } else return this.#endRecord();
    return undefined;
  }

  #endRecord(): CsvRecord | undefined {
    const { limits } = this.options;
    this.#cells.push(this.#cell);
    const record = { line: this.#recordLine, cells: this.#cells };
    if (this.#recordLength * 3 > limits.maxRowBytes && bytesOf(record) > limits.maxRowBytes) throw this.#tooLong();
    this.#begin();
    if (record.cells.some((cell) => cell !== "")) return record;
    if (++this.#empty > limits.maxRows) throw tooManyEmptyLines(limits, record.line);
    return undefined;
  }

  #begin(): void {
    this.#cells = [];
    this.#cell = "";
    this.#state = "start";
    this.#recordLine = this.#place.line;
    this.#recordLength = 0;
  }

  #here(): Place {
    const { line, character } = this.#place;
    return { line, character, column: this.options.columnAt(this.#cells.length) };
  }

  #tooLong(): AppError {
    const isOpen = this.#state === "quoted";
    return rowTooLong(
      this.options.limits,
      { line: this.#recordLine },
      isOpen ? `A quote opens in line ${this.#openedAt.line}: does it close?` : undefined,
    );
  }
}

const bytesOf = ({ cells }: CsvRecord): number => cells.reduce((sum, cell) => sum + Buffer.byteLength(cell), 0);
