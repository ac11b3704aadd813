import { asTyped, MAX_RENDERED, render } from "./markdown";
import { tokensOf } from "./markdown-tokens";

/** The open block is rendered again when it has grown by this share: rarely enough that all renderings cost O(n). */
const GROWTH = 1 / 32;

/** What the page has to change so that it shows a text that has grown. */
export interface Update {
  /** HTML of blocks that ended since the last rendering; undefined: nothing was rendered. */
  finished?: string;
  /** HTML of the block that may still change, in place of the one before. `tailId` names the element at its end. */
  open?: string;
  /** HTML to append to the element `tailId`: new text of the open block, as typed until it is rendered. */
  tail: string;
}

/**
 * A text that grows. Blocks that can't change any more are rendered once. The open block is rendered as if it ended
 * here, so that half a table or code fence is whole HTML at any time. In between, new text is appended as it is.
 */
export class GrowingMarkdown {
  /** How much of the text was taken over into `#open`, in its own characters. */
  #read = 0;
  /** Source of the open block, with `\n` at the end of each line. */
  #open = "";
  #renderedLength = 0;
  #isTooLong = false;
  readonly #outline: number[] = [];

  constructor(readonly tailId: string) {}

  /** `text` is the whole text so far. */
  update(text: string): Update {
    // The line feed of the same line end, or the second half of the same character, may still come.
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

  /** The element for new text goes to the end of the last block. White space there, which HTML leaves out, belongs to it. */
  #withTail(html: string): string {
    const end = html.search(
      /(?:<\/(?:p|h\d|li|[uo]l|blockquote|t[dhr]|thead|tbody|table|pre|div)>\s*|<\/code>(?=<\/pre>))*$/,
    );
    const space = /\s*$/.exec(this.#open)?.[0] ?? "";
    return `${html.slice(0, end).trimEnd()}<span id="${this.tailId}" class="as-typed">${space}</span>${html.slice(end)}`;
  }
}
