import { raw } from "hono/html";
import { GrowingMarkdown } from "../ui/growing-markdown";
import type { Node } from "../ui/html";

/** Streams a growing Markdown text to the page, into the element that the selector `container` matches. */
export class GrowingText {
  readonly #markdown: GrowingMarkdown;
  #length = 0;

  /** `id` prefixes the ids of the elements for the unfinished block (`-open`) and for new text (`-tail`). */
  constructor(
    private readonly container: string,
    private readonly id: string,
  ) {
    this.#markdown = new GrowingMarkdown(`${id}-tail`);
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** The page update for `text`, the whole text so far; undefined if it hasn't changed. */
  update(text: string): Node | undefined {
    if (text.length === this.#length) return undefined;
    const { finished, open, tail } = this.#markdown.update(text);
    const isFirst = this.isEmpty;
    this.#length = text.length;
    if (isFirst) {
      return (
        <hx-partial hx-target={this.container} hx-swap="innerHTML">
          {raw(finished ?? "")}
          <div id={`${this.id}-open`} class="open">
            {raw(open ?? "")}
          </div>
        </hx-partial>
      );
    }
    if (open === undefined) {
      return (
        <hx-partial hx-target={`#${this.id}-tail`} hx-swap="beforeend">
          {raw(tail)}
        </hx-partial>
      );
    }
    return (
      <>
        {finished && (
          <hx-partial hx-target={`#${this.id}-open`} hx-swap="beforebegin">
            {raw(finished)}
          </hx-partial>
        )}
        <hx-partial hx-target={`#${this.id}-open`} hx-swap="innerMorph">
          {raw(open)}
        </hx-partial>
      </>
    );
  }
}
