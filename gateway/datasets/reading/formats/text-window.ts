import type { ReadingLimits } from "../limits";
import { CR, LF, LineCounter } from "../text";

/** Minimum number of characters kept in memory: enough to detect a file's format from its beginning. */
const MIN_LENGTH = 65_536;

/** A text that arrives in chunks, and a position in it. Only about one row is in memory at a time. */
export class TextWindow {
  /** The text in memory. `at` is the position in it, and `place` is the same position in the file. */
  text = "";
  at = 0;
  place = new LineCounter();
  /** Whether the text in memory reaches the end of the file. */
  isEnd = false;
  readonly #pieces: AsyncIterator<string>;
  readonly #maxLength: number;

  constructor(texts: AsyncIterable<string>, { maxRowBytes }: ReadingLimits) {
    this.#pieces = texts[Symbol.asyncIterator]();
    this.#maxLength = maxRowBytes;
  }

  /** Loads more text if little is left; false at the end of the file. */
  async fill(): Promise<boolean> {
    if (!this.isEnd && this.text.length - this.at < MIN_LENGTH) await this.#load(2 * MIN_LENGTH);
    return this.at < this.text.length;
  }

  /**
   * Grows the text in memory by half. False at the end of the file, or if more than a whole row is already in memory.
   */
  async more(): Promise<boolean> {
    const length = this.text.length - this.at;
    if (this.isEnd || length > this.#maxLength) return false;
    await this.#load(1.5 * length);
    return true;
  }

  /** Drops the text before `at`, and loads until `wanted` characters are in memory. */
  async #load(wanted: number): Promise<void> {
    const parts = [this.text.slice(this.at)];
    let length = this.text.length - this.at;
    while (length < wanted && !this.isEnd) {
      const { value, done } = await this.#pieces.next();
      if (done) this.isEnd = true;
      else {
        parts.push(value);
        length += value.length;
      }
    }
    this.text = parts.join("");
    this.at = 0;
  }

  passTo(end: number): void {
    this.place.pass(this.text.slice(this.at, end));
    this.at = end;
  }

  /** The start of the line after `from`, or the end of the file; undefined if it is not in memory yet. */
  endOfLine(from: number): number | undefined {
    for (let at = from; at < this.text.length; at++) {
      const code = this.text.charCodeAt(at);
      if (code === LF) return at + 1;
      if (code !== CR) continue;
      if (at + 1 < this.text.length) return this.text.charCodeAt(at + 1) === LF ? at + 2 : at + 1;
    }
    return this.isEnd ? this.text.length : undefined;
  }

  /** Skips the rest of the line, however long it is. */
  async skipLine(): Promise<void> {
    while (await this.fill()) {
      const end = this.endOfLine(this.at);
      if (end !== undefined) return this.passTo(end);
      // A trailing CR may be the first half of a CRLF.
      this.passTo(this.text.length - (this.text.endsWith("\r") ? 1 : 0));
    }
  }
}
