import type { AppError } from "../../../../lib/errors";
import { invalid, isOverBytes, MAX_DEPTH, type ReadingLimits, rowTooLong } from "../limits";
import { LineCounter, placeIn } from "../text";

/** Characters kept from the previous chunk when searching for the start of a row, which may be split across chunks. */
const OVERLAP = 512;

export interface JsonText {
  text: string;
  line: number;
  character: number;
}

/** Steps through a JSON text that arrives in pieces, with one value in memory at a time. */
export class JsonCursor {
  readonly #pieces: AsyncIterator<string>;
  #place = new LineCounter();
  /** The buffered text; `#at` is the position in it, and `#place` its position in the file. */
  #text = "";
  #at = 0;

  constructor(
    texts: AsyncIterable<string>,
    private readonly limits: ReadingLimits,
  ) {
    this.#pieces = texts[Symbol.asyncIterator]();
  }

  /** The next non-whitespace character; undefined at the end. */
  async peek(): Promise<string | undefined> {
    for (;;) {
      let end = this.#at;
      while (isJsonSpace(this.#text.charCodeAt(end))) end++;
      this.#passTo(end);
      if (end < this.#text.length) return this.#text[end];
      if (!(await this.#more())) return undefined;
    }
  }

  /** Skips one character, which must be this one. */
  async take(character: string): Promise<void> {
    if ((await this.peek()) !== character) throw this.expected(JSON.stringify(character));
    this.#passTo(this.#at + 1);
  }

  /** Position of the next character. */
  get line(): number {
    return this.#place.line;
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
    const { line, character } = this.#place;
    const valueEnd = new ValueEnd();
    let from = this.#at;
    for (;;) {
      const end = valueEnd.find(this.#text, from);
      const text = this.#text.slice(this.#at, end < 0 ? undefined : end);
      if (isOverBytes(text, this.limits.maxRowBytes)) throw rowTooLong(this.limits, { line });
      if (valueEnd.isTooDeep) throw tooDeep(placeIn(text, text.length, { line, character }));
      if (end >= 0) {
        this.#passTo(end);
        return { text, line, character };
      }
      if (await this.#more()) from = text.length;
      else if (valueEnd.mayEnd) {
        this.#passTo(this.#text.length);
        return { text, line, character };
      } else
        throw invalid("a value begins here and the file ends inside it. Is the file complete?", { line, character });
    }
  }

  /** Whether the buffered text matches the pattern. After a value that is too long, that is about one row of text. */
  hasNear(pattern: RegExp): boolean {
    return pattern.test(this.#text.slice(this.#at));
  }

  /** Goes back to the start of the last skipped value. */
  backTo({ text, line, character }: JsonText): void {
    this.#at -= text.length;
    this.#place = new LineCounter(line, character);
  }

  /** Skips at least one character, up to the next match; false at the end of the file. */
  async seek(pattern: RegExp): Promise<boolean> {
    this.#passTo(Math.min(this.#at + 1, this.#text.length));
    for (;;) {
      const found = this.#text.slice(this.#at).search(pattern);
      if (found >= 0) {
        this.#passTo(this.#at + found);
        return true;
      }
      this.#passTo(Math.max(this.#at, this.#text.length - OVERLAP));
      if (await this.#more()) continue;
      this.#passTo(this.#text.length);
      return false;
    }
  }

  /** The error for an unexpected next character. */
  expected(what: string): AppError {
    const next = this.#text[this.#at];
    const found = next === undefined ? "the end of the file" : JSON.stringify(next);
    return invalid(`expected ${what}, found ${found}.`, this.#place);
  }

  #passTo(end: number): void {
    this.#place.pass(this.#text.slice(this.#at, end));
    this.#at = end;
  }

  /** Drops the text that was read and buffers the next piece. */
  async #more(): Promise<boolean> {
    const { value, done } = await this.#pieces.next();
    if (done) return false;
    this.#text = this.#text.slice(this.#at) + value;
    this.#at = 0;
    return true;
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

/** Finds the end of one JSON value in a text that arrives in pieces. It only counts brackets and quotes. */
export class ValueEnd {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** True if `find` stopped because the value has more than 100 levels. */
  get isTooDeep(): boolean {
    return this.#depth > MAX_DEPTH;
  }

  /** True if the value may end at the end of the text, as a number may. */
  get mayEnd(): boolean {
    return this.#depth === 0 && !this.#isInString;
  }

  /** The position after the value; -1 if it continues after `text`. Starts at `from`, where the last call stopped. */
  find(text: string, from: number): number {
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#isInString) {
        if (this.#isEscaped) this.#isEscaped = false;
        else if (code === BACKSLASH) this.#isEscaped = true;
        else if (code === QUOTE) {
          this.#isInString = false;
          if (this.#depth === 0) return at + 1;
        }
      } else if (code === QUOTE) this.#isInString = true;
      else if (code === OPEN_LIST || code === OPEN_OBJECT) {
        this.#depth++;
        if (this.isTooDeep) return at;
      } else if (code === CLOSE_LIST || code === CLOSE_OBJECT) {
        if (this.#depth === 0) return at;
        this.#depth--;
        if (this.#depth === 0) return at + 1;
      } else if (this.#depth === 0 && (code === COMMA || isJsonSpace(code))) return at;
    }
    return -1;
  }
}
