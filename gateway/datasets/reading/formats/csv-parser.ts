import { isOverBytes, problemIn, type ReadingLimits, rowTooLong, tooManyEmptyLines } from "../limits";
import { BOM, placeIn } from "../text";
import { type CsvParse, parseRecord } from "./csv-record";
import type { TextWindow } from "./text-window";

/** A record, or what is wrong with an unreadable one. */
type CsvRecord =
  | { line: number; cells: string[] }
  /** `index` is the broken cell; `text` is the record's first line. */
  | { line: number; index: number | null; message: string; text: string };

type Fault = Extract<CsvRecord, { message: string }>;

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
