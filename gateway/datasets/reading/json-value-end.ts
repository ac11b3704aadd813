import { MAX_DEPTH } from "./limits";

const QUOTE = 34;
const COMMA = 44;
const OPEN_LIST = 91;
const BACKSLASH = 92;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** JSON whitespace, and the byte order mark, which can occur in the middle of concatenated files. */
export const isJsonSpace = (code: number): boolean =>
  code === 32 || code === 10 || code === 13 || code === 9 || code === 0xfeff;

/** Finds the end of one JSON value in a text that arrives in pieces. It counts brackets and quotes and checks nothing else. */
export class ValueEnd {
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** True when the value is nested more than 100 levels: `find` has stopped there. */
  get isTooDeep(): boolean {
    return this.#depth > MAX_DEPTH;
  }

  /** True when the end of the text may be the end of the value, as after a number. */
  get mayEnd(): boolean {
    return this.#depth === 0 && !this.#isInString;
  }

  /** The position after the value; -1 when it goes on after `text`. Looks from `from`, where the last call stopped. */
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
