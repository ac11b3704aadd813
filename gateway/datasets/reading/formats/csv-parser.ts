import { isOverBytes, problemIn, type ReadingLimits, rowTooLong, tooManyEmptyLines } from "../limits";
import { BOM, CR, LF, placeIn } from "../text";
import type { TextWindow } from "./text-window";

/** A record, or what is wrong with an unreadable one. */
type CsvRecord =
  | { line: number; cells: string[] }
  /** `index` is the broken cell; `text` is the record's first line. */
  | { line: number; index: number | null; message: string; text: string };

type Fault = Extract<CsvRecord, { message: string }>;

const QUOTE = '"';
/**
 * Maximum number of cells beyond those of the header. A record with more is invalid, so that a row of commas takes
 * little memory.
 */
const MAX_EXTRA_CELLS = 10_000;
/** The same limit after a fault, when only a record with as many cells as the header is accepted. */
const MAX_EXTRA_CELLS_AFTER_FAULT = 8;

/**
 * Reads CSV records. Blank records are skipped. A record with broken quotes is returned as a problem, and reading
 * resumes at the next line with as many cells as the header.
 */
export class CsvParser {
  /** Whether a record has as many cells as the header; true until the header is known. */
  fits: (cells: readonly string[]) => boolean = () => true;
  width = 0;
  readonly #delimiter: number;
  #fault: Fault | undefined;
  #faultEnd = 0;
  #empty = 0;

  constructor(
    private readonly window: TextWindow,
    delimiter: string,
    private readonly limits: ReadingLimits,
  ) {
    this.#delimiter = delimiter.charCodeAt(0);
  }

  /** Throws payload_too_large for too many empty lines. */
  async *records(): AsyncGenerator<CsvRecord> {
    const { window } = this;
    while (await window.fill()) {
      if (window.text[window.at] === BOM) window.passTo(window.at + 1);
      const parsed = this.#parseAt(window.at);
      const isSwallowing = parsed.kind === "record" && this.#isSwallowing(parsed);
      if ((parsed.kind === "open" || isSwallowing === undefined) && (await window.more())) continue;
      if (parsed.kind === "record") {
        if (!isSwallowing && (!this.#fault || this.fits(parsed.cells))) {
          yield* this.#takeFault();
          yield* this.#handOut(parsed);
          continue;
        }
        const message = "a quote opens in this row and closes in a later one. Close it in the same row.";
        if (isSwallowing) this.#fail({ index: null, message });
      } else this.#fail(this.#problemOf(parsed));
      this.#faultEnd = window.place.line;
      await window.skipLine();
    }
    yield* this.#takeFault();
  }

  #parseAt(at: number): CsvParse {
    const extraCells = this.#fault ? MAX_EXTRA_CELLS_AFTER_FAULT : MAX_EXTRA_CELLS;
    const maxCells = this.width > 0 ? this.width + extraCells : this.limits.maxRowBytes;
    return parseRecord(this.window.text, at, { delimiter: this.#delimiter, maxCells, isEnd: this.window.isEnd });
  }

  /**
   * Whether a missing closing quote has merged several lines into this record: it doesn't have the header's number of
   * cells, but its second line does. Undefined if too little text is in memory to decide.
   */
  #isSwallowing({ cells, end }: Extract<CsvParse, { kind: "record" }>): boolean | undefined {
    if (this.fits(cells)) return false;
    const nextLine = this.window.endOfLine(this.window.at);
    if (nextLine === undefined || nextLine >= end) return false;
    const next = this.#parseAt(nextLine);
    if (next.kind === "open" && !this.window.isEnd) return undefined;
    return next.kind === "record" && this.fits(next.cells);
  }

  *#handOut({ cells, end }: { cells: string[]; end: number }): Generator<CsvRecord> {
    const { limits, window } = this;
    const { line } = window.place;
    const text = window.text.slice(window.at, end);
    window.passTo(end);
    if (isOverBytes(text, limits.maxRowBytes)) {
      yield { line, index: null, message: problemIn(rowTooLong(limits)), text: "" };
    } else if (cells.some((cell) => cell.trim() !== "")) yield { line, cells };
    else if (++this.#empty > limits.maxRows) throw tooManyEmptyLines(limits, line);
  }

  *#takeFault(): Generator<CsvRecord> {
    const fault = this.#fault;
    this.#fault = undefined;
    if (!fault) return;
    const lines = this.#faultEnd > fault.line ? ` Lines ${fault.line} to ${this.#faultEnd} are left out.` : "";
    yield { ...fault, message: fault.message + lines };
  }

  /** Only the first of several consecutive faults is reported: the others may be its consequence. */
  #fail(problem: { index: number | null; message: string }): void {
    const { text, at, place } = this.window;
    const end = this.window.endOfLine(at);
    this.#fault ??= { line: place.line, ...problem, text: text.slice(at, end).trimEnd() };
  }

  #problemOf(parsed: Exclude<CsvParse, { kind: "record" }>): { index: number | null; message: string } {
    const { text, at: start, place: from } = this.window;
    const { at, index = null } = parsed;
    if (at === undefined) return { index: null, message: problemIn(rowTooLong(this.limits)) };
    const place = placeIn(text.slice(start, at), at - start, from);
    const where = `${place.line > from.line ? `line ${place.line}, ` : ""}character ${place.character}: `;
    if (parsed.kind === "broken") return { index, message: `${where}${parsed.message}` };
    const opened = "a quote opens here and never closes. Close it, or double the quotes inside the cell.";
    return { index, message: `${where}${opened}` };
  }
}

/** Result of parsing a record. `end` is where the next record begins. */
type CsvParse =
  | { kind: "record"; cells: string[]; end: number }
  /** An invalid quote at `at`, in cell `index`. */
  | { kind: "broken"; at: number; index: number; message: string }
  /** The text ends inside the record. If `at` is set, it ends inside a quote that opened at `at` in cell `index`. */
  | { kind: "open"; at?: number; index?: number };

interface ParseOptions {
  delimiter: number;
  maxCells: number;
  isEnd: boolean;
}

/**
 * Parses the record at `start` (RFC 4180). A lone LF or CR also ends a record, and spaces around a quoted cell are
 * skipped. A quote inside an unquoted cell is text.
 */
const parseRecord = (text: string, start: number, { delimiter, maxCells, isEnd }: ParseOptions): CsvParse => {
  const cells: string[] = [];
  let at = start;
  for (;;) {
    const cell: Cell = text[at] === QUOTE ? quotedCell(text, at, delimiter, isEnd) : plainCell(text, at, delimiter);
    if (cell.message !== undefined) return { kind: "broken", at: cell.end, index: cells.length, message: cell.message };
    if (cell.value === undefined) return { kind: "open", at, index: cells.length };
    const { value, end } = cell;
    if (end >= text.length && !isEnd) return { kind: "open" };
    cells.push(value);
    if (cells.length > maxCells) {
      return { kind: "broken", at, index: maxCells, message: `the row has more than ${maxCells} cells.` };
    }
    const separator = text.charCodeAt(end);
    if (separator === delimiter) at = end + 1;
    else if (separator !== CR) return { kind: "record", cells, end: Math.min(end + 1, text.length) };
    else if (end + 1 === text.length && !isEnd) return { kind: "open" };
    else return { kind: "record", cells, end: text.charCodeAt(end + 1) === LF ? end + 2 : end + 1 };
  }
};

/** `value` is undefined if the text ends before the cell does. */
interface Cell {
  value?: string;
  end: number;
  /** Why the record is invalid at `end`. */
  message?: string;
}

const plainCell = (text: string, start: number, delimiter: number): Cell => {
  let end = start;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === delimiter || code === LF || code === CR) break;
  }
  return { value: text.slice(start, end), end };
};

const quotedCell = (text: string, start: number, delimiter: number, isEnd: boolean): Cell => {
  let value = "";
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf(QUOTE, from);
    if (quote < 0 || (quote + 1 === text.length && !isEnd)) return { end: text.length };
    value += text.slice(from, quote);
    if (text[quote + 1] !== QUOTE) {
      let end = quote + 1;
      while (text[end] === " ") end++;
      const code = text.charCodeAt(end);
      if (end >= text.length || code === delimiter || code === LF || code === CR) return { value, end };
      return {
        end: quote + 1,
        message: "there is text after a closing quote. Double the quotes inside a quoted cell.",
      };
    }
    value += QUOTE;
    from = quote + 2;
  }
};
