import type { AppError } from "../../../../lib/errors";
import { invalid, isOverBytes, MAX_DEPTH, type ReadingLimits, rowTooLong } from "../limits";
import { LineCounter, placeIn } from "../text";
import { TextWindow } from "./text-window";

/** Characters kept when searching for the start of a row, which may be split at the end of the text in memory. */
const OVERLAP = 512;

export interface JsonText {
  text: string;
  line: number;
  character: number;
}

/** Steps through a JSON text that arrives in pieces, value by value. */
export class JsonCursor {
  readonly #window: TextWindow;

  constructor(
    texts: AsyncIterable<string>,
    private readonly limits: ReadingLimits,
  ) {
    this.#window = new TextWindow(texts, limits);
  }

  /** The next non-whitespace character; undefined at the end. */
  async peek(): Promise<string | undefined> {
    const window = this.#window;
    while (await window.fill()) {
      let end = window.at;
      while (isJsonSpace(window.text.charCodeAt(end))) end++;
      window.passTo(end);
      if (end < window.text.length) return window.text[end];
    }
    return undefined;
  }

  /** Skips one character, which must be this one. */
  async take(character: string): Promise<void> {
    if ((await this.peek()) !== character) throw this.expected(JSON.stringify(character));
    this.#window.passTo(this.#window.at + 1);
  }

  get line(): number {
    return this.#window.place.line;
  }

  /** Skips a comma and returns true, or skips the end of a list or object and returns false. */
  async takeSeparator(end: "]" | "}"): Promise<boolean> {
    const next = await this.peek();
    if (next !== "," && next !== end) throw this.expected(`"," or "${end}"`);
    await this.take(next);
    return next === ",";
  }

  /** Skips a value without checking its syntax and returns it with its position. If this throws, nothing is skipped. */
  async value(): Promise<JsonText> {
    const next = await this.peek();
    if (next === undefined || ",:]}".includes(next)) throw this.expected("a value");
    const window = this.#window;
    const { line, character } = window.place;
    let found = findValueEnd(window.text, window.at);
    while (found.end === window.text.length && (await window.more())) found = findValueEnd(window.text, window.at);
    const { end, isTooDeep, isOpen } = found;
    const text = window.text.slice(window.at, end);
    if (isOverBytes(text, this.limits.maxRowBytes)) throw rowTooLong(this.limits, { line });
    if (isTooDeep) throw tooDeep(placeIn(text, text.length, { line, character }));
    if (isOpen) {
      throw invalid("a value begins here and the file ends inside it. Is the file complete?", { line, character });
    }
    window.passTo(end);
    return { text, line, character };
  }

  /** Whether the text in memory matches the pattern. After a value that is too long, that is about a row of text. */
  hasNear(pattern: RegExp): boolean {
    return pattern.test(this.#window.text.slice(this.#window.at));
  }

  /** Goes back to the start of the last skipped value. */
  backTo({ text, line, character }: JsonText): void {
    this.#window.at -= text.length;
    this.#window.place = new LineCounter(line, character);
  }

  /** Skips at least one character, up to the next match; false at the end of the file. */
  async seek(pattern: RegExp): Promise<boolean> {
    const window = this.#window;
    for (let least = 1; await window.fill(); least = 0) {
      const from = Math.min(window.at + least, window.text.length);
      const found = window.text.slice(from).search(pattern);
      if (found >= 0) {
        window.passTo(from + found);
        return true;
      }
      window.passTo(window.isEnd ? window.text.length : Math.max(from, window.text.length - OVERLAP));
    }
    return false;
  }

  /** The error for an unexpected next character. */
  expected(what: string): AppError {
    const next = this.#window.text[this.#window.at];
    const found = next === undefined ? "the end of the file" : JSON.stringify(next);
    return invalid(`expected ${what}, found ${found}.`, this.#window.place);
  }
}

const tooDeep = (place: LineCounter): AppError =>
  invalid(`lists and objects are more than ${MAX_DEPTH} levels deep here. Flatten them.`, place);

const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** JSON whitespace, and the byte order mark, which can occur in the middle of concatenated files. */
const isJsonSpace = (code: number): boolean =>
  code === 32 || code === 10 || code === 13 || code === 9 || code === 0xfeff;

interface ValueEnd {
  /** The position after the value, or where the search ended. */
  end: number;
  /** The value has more than 100 levels. */
  isTooDeep?: boolean;
  /** The text ends inside the value; it may end inside a number, or another word. */
  isOpen?: boolean;
}

/** Finds the end of the JSON value at `from`. It only counts brackets and quotes. */
export const findValueEnd = (text: string, from: number): ValueEnd => {
  let depth = 0;
  let isInString = false;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isInString) {
      if (code === BACKSLASH) at++;
      else if (code === QUOTE) {
        isInString = false;
        if (depth === 0) return { end: at + 1 };
      }
    } else if (code === QUOTE) isInString = true;
    else if (code === OPEN_LIST || code === OPEN_OBJECT) {
      depth++;
      if (depth > MAX_DEPTH) return { end: at, isTooDeep: true };
    } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
      if (depth === 0) return { end: at };
      depth--;
      if (depth === 0) return { end: at + 1 };
    } else if (depth === 0 && (code === COMMA || isJsonSpace(code))) return { end: at };
  }
  return { end: text.length, isOpen: depth > 0 || isInString };
};
