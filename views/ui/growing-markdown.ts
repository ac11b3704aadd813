import { asTyped, MAX_RENDERED, render } from "./markdown";
import { tokensOf } from "./markdown-tokens";

/** The open block is rendered again when it has grown by this fraction, so the total work is linear in its length. */
export const GROWTH = 1 / 32;

/** The HTML changes that bring a page up to date with the longer text. */
export interface Update {
  /** HTML of blocks finished since the last rendering; undefined if nothing was rendered. */
  finished?: string;
  /** HTML of the open block, which replaces the previous one. `tailId` is the id of the element at its end. */
  open?: string;
  /** HTML to append to the element `tailId`: new text of the open block, as typed until it is rendered. */
  tail: string;
}

/**
 * Renders Markdown while it is being written. Finished blocks are rendered once. The last block is still open, so it is
 * rendered repeatedly, each time as if the text ended there: an incomplete table or code fence is still well-formed
 * HTML. Between renderings, new text is appended as typed.
 */
export class GrowingMarkdown {
  /** Number of characters consumed from the text, including the original line endings. */
  #read = 0;
  /** Markdown source of the open block, with `\n` as the line ending. */
  #open = "";
  #renderedLength = 0;
  #isTooLong = false;
  readonly #outline: number[] = [];

  constructor(readonly tailId: string) {}

  /** Returns the changes for `text`, the whole text so far. */
  update(text: string): Update {
    // The line feed of a CRLF, or the second half of a surrogate pair, may not have arrived yet.
    const added = text.slice(this.#read).replace(/[\r\ud800-\udbff]$/, "");
    this.#read += added.length;
    const tail = added.replaceAll(/\r\n?/g, "\n");
    this.#open += tail;
    this.#isTooLong ||= this.#read > MAX_RENDERED;
    const isDue = this.#open.length > this.#renderedLength * (1 + GROWTH) && !this.#isTooLong;
    return isDue ? this.#render() : { tail: Bun.escapeHTML(tail) };
  }

  #render(): Update {
    try {
      const tokens = tokensOf(this.#open);
      const last = Math.max(
        0,
        tokens.findLastIndex((token) => token.type !== "space"),
      );
      const ended = tokens.slice(0, last);
      const finished = render(ended, this.#outline);
      const open = render(tokens.slice(last), [...this.#outline]);
      this.#open = this.#open.slice(ended.reduce((length, token) => length + token.raw.length, 0));
      this.#renderedLength = this.#open.length;
      return { finished, open: this.#withTail(open), tail: "" };
    } catch {
      this.#isTooLong = true;
      return { finished: "", open: this.#withTail(asTyped(this.#open)), tail: "" };
    }
  }

  /** Inserts the element for new text into the last block. It starts with the trailing white space that HTML drops. */
  #withTail(html: string): string {
    const end = html.search(
      /(?:<\/(?:p|h\d|li|[uo]l|blockquote|t[dhr]|thead|tbody|table|pre|div)>\s*|<\/code>(?=<\/pre>))*$/,
    );
    const space = /\s*$/.exec(this.#open)?.[0] ?? "";
    return `${html.slice(0, end).trimEnd()}<span id="${this.tailId}" class="as-typed">${space}</span>${html.slice(end)}`;
  }
}
