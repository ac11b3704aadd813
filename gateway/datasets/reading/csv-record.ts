const QUOTE = '"';
const LF = 10;
const CR = 13;

/** What a text holds from some place on. `end` is where the next record begins. */
export type CsvParse =
  | { kind: "record"; cells: string[]; end: number }
  /** A quote that breaks the record: at `at`, in the cell `index`. */
  | { kind: "broken"; at: number; index: number; message: string }
  /** The text ends in the record: in a quote that opened at `at` in the cell `index`, where these are known. */
  | { kind: "open"; at?: number; index?: number };

interface ParseOptions {
  /** The code of what separates cells. */
  delimiter: number;
  /** More cells than this are not looked at: the record is broken. */
  maxCells: number;
  /** Nothing comes after the text. */
  isEnd: boolean;
}

/**
 * The record that begins at `start`, by RFC 4180; LF and CR alone end one too, and spaces around a quoted cell are passed
 * over. A quote in a cell that does not begin with one is text.
 */
export const parseRecord = (text: string, start: number, { delimiter, maxCells, isEnd }: ParseOptions): CsvParse => {
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

/** `value` is undefined where the text ends before the cell does. */
interface Cell {
  value?: string;
  end: number;
  /** Why the cell breaks its record at `end`. */
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
