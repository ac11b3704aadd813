import { CR, LF } from "../text";

const QUOTE = '"';

/** Result of parsing a record. `end` is where the next record begins. */
export type CsvParse =
  | { kind: "record"; cells: string[]; end: number }
  /** An invalid quote at `at`, in cell `index`. */
  | { kind: "broken"; at: number; index: number; message: string }
  /** The text ends inside the record. If `at` is set, it ends inside a quote that opened at `at` in cell `index`. */
  | { kind: "open"; at?: number; index?: number };

interface ParseOptions {
  delimiter: number;
  maxCells: number;
  /** Whether the text ends where the file does. */
  isEnd: boolean;
  /** Accepts broken quotes: text after a closing quote belongs to the cell, and a quote that never closes is text. */
  isLenient?: boolean;
}

/**
 * Parses the record at `start` (RFC 4180). A lone LF or CR also ends a record, and spaces around a quoted cell are
 * skipped. A quote inside an unquoted cell is text.
 */
export const parseRecord = (text: string, start: number, options: ParseOptions): CsvParse => {
  const { delimiter, maxCells, isEnd } = options;
  const cells: string[] = [];
  let at = start;
  for (;;) {
    const cell: Cell = text[at] === QUOTE ? quotedCell(text, at, options) : plainCell(text, at, delimiter);
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

const plainCell = (text: string, start: number, delimiter: number) => {
  let end = start;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === delimiter || code === LF || code === CR) break;
  }
  return { value: text.slice(start, end), end };
};

const quotedCell = (text: string, start: number, { delimiter, isEnd, isLenient = false }: ParseOptions): Cell => {
  let value = "";
  let from = start + 1;
  for (;;) {
    const quote = text.indexOf(QUOTE, from);
    if (quote < 0 && isLenient) return plainCell(text, start, delimiter);
    if (quote < 0 || (quote + 1 === text.length && !isEnd)) return { end: text.length };
    value += text.slice(from, quote);
    if (text[quote + 1] !== QUOTE) {
      let end = quote + 1;
      while (text[end] === " ") end++;
      const code = text.charCodeAt(end);
      if (end >= text.length || code === delimiter || code === LF || code === CR) return { value, end };
      if (isLenient) {
        const after = plainCell(text, quote + 1, delimiter);
        return { ...after, value: value + after.value };
      }
      return {
        end: quote + 1,
        message: "there is text after a closing quote. Double the quotes inside a quoted cell.",
      };
    }
    value += QUOTE;
    from = quote + 2;
  }
};
