import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import fc from "fast-check";
import { Lexer } from "marked";
import { expectPaired, seen } from "../../tests/html";
import { GROWTH, GrowingMarkdown, type Update } from "./growing-markdown";
import { markdown } from "./markdown";

/** A page that applies each update. It has its content and the number of characters of HTML sent to it. */
class Shown {
  html = "";
  sent = 0;
  #finished = "";
  #open = "";
  #tail = "";
  readonly #growing = new GrowingMarkdown("tail");

  update(text: string): Update {
    const update = this.#growing.update(text);
    const { finished = "", open, tail } = update;
    this.#finished += finished;
    this.sent += finished.length + (open?.length ?? 0) + tail.length;
    if (open !== undefined) {
      this.#open = open;
      this.#tail = "";
    }
    this.#tail += tail;
    const element = /(<span id="tail"[^>]*>\s*)<\/span>/;
    this.html = this.#finished + this.#open.replace(element, (_, start) => `${start}${this.#tail}</span>`);
    return update;
  }
}

describe("a growing text", () => {
  afterEach(() => mock.restore());

  const TEXT =
    "# Intro\n\nIntro *here*.\n\n- one\n- two\n  more\n\n```\nconst a = 1;\n\nconst b = 2;\n```\n\n### Table\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nThe end.";

  /** The HTML without the element for new text and without white space between elements. */
  const bare = (html: string): string =>
    html
      .replace(/<span id="tail"[^>]*>\s*<\/span>/, "")
      .replaceAll(/\s*(<|>)\s*/g, "$1")
      .trim();
  const letters = (text: string): string => text.replaceAll(/[^a-zA-Z0-9]/g, "");

  test("is always well-formed HTML and loses no letter, in pieces of any size and with any line endings", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.constantFrom("\n", "\r\n", "\r"), (step, lineEnd) => {
        const text = TEXT.replaceAll("\n", lineEnd);
        const shown = new Shown();
        for (let end = step; end < text.length + step; end += step) {
          const soFar = text.slice(0, end);
          const { open } = shown.update(soFar);
          expectPaired(shown.html);
          const withoutBar = shown.html.replace(/<div class="code-bar">.*?<\/div>/, "");
          expect(letters(seen(withoutBar))).toBe(letters(soFar));
          if (open !== undefined && !soFar.endsWith("\r")) expect(bare(shown.html)).toBe(bare(markdown(soFar)));
        }
      }),
      { numRuns: 40 },
    );
  });

  /** Each text except the last is a single block, so that no block is finished before the end. */
  const BLOCKS: [string, (length: number) => string][] = [
    ["a paragraph", (length) => "Some **bold** words, `code` and _more_ of it. ".repeat(length / 45)],
    ["a paragraph of lines", (length) => "A line of a poem\n".repeat(length / 17)],
    ["a word", (length) => "a".repeat(length)],
    ["a code fence", (length) => `\`\`\`ts\n${"const a = 1;\n\n".repeat(length / 14)}`],
    ["a code fence without a language", (length) => `\`\`\`\n${"line\n".repeat(length / 5)}`],
    ["a table", (length) => `| a | b |\n|---|---|\n${"| one | two |\n".repeat(length / 14)}`],
    ["a list", (length) => "- an item with *words*\n".repeat(length / 23)],
    ["a loose list", (length) => "- an item\n\n".repeat(length / 11)],
    ["a quote", (length) => "> quoted words\n".repeat(length / 15)],
    ["a heading", (length) => `# ${"word ".repeat(length / 5)}`],
    ["a formula", (length) => `$$\n${"a + b\n".repeat(length / 6)}`],
    ["paragraphs", (length) => "A short one.\n\n".repeat(length / 14)],
  ];

  test.each(BLOCKS)("takes time proportional to its length: %s", (_, make) => {
    const lex = spyOn(Lexer.prototype, "lex");
    /** Characters lexed and sent per character of a text that arrives four characters at a time. */
    const workPerCharacter = (text: string): number => {
      lex.mockClear();
      const shown = new Shown();
      for (let end = 4; end < text.length + 4; end += 4) shown.update(text.slice(0, end));
      expect(letters(seen(shown.html))).toStartWith(letters(seen(markdown(text))).slice(0, text.length / 2));
      return (lex.mock.calls.reduce((sum, [source]) => sum + source.length, 0) + shown.sent) / text.length;
    };
    const text = make(6000);
    const work = workPerCharacter(text);
    expect(work).toBeLessThan(workPerCharacter(make(1500)) * 1.25);
    // The rendered lengths are a geometric series, whose sum is this many times the last length.
    const renderings = 1 + 1 / GROWTH;
    const lexedAndSent = 1 + markdown(text).length / text.length;
    // Allows a tenth more for text as typed and its element.
    expect(work).toBeLessThan(1.1 * renderings * lexedAndSent);
  });

  test("shows new text immediately, as typed, before its block is rendered again", () => {
    const shown = new Shown();
    const text = "A long paragraph. ".repeat(20);
    shown.update(text);
    expect(shown.update(`${text}*new*`)).toEqual({ tail: "*new*" });
    expect(shown.html).toContain(" *new*</span></p>");
  });

  test.each([
    ["a paragraph", "Some **bold**", '<strong>bold</strong><span id="tail" class="as-typed"></span></p>'],
    ["a list", "- a\n  - b", '<li>b<span id="tail" class="as-typed"></span></li>'],
    ["a table", "| a |\n|---|\n| b |", '<td>b<span id="tail" class="as-typed"></span></td>'],
    ["code", "```ts\na", 'a<span id="tail" class="as-typed"></span></code></pre></div>'],
    ["code after a line break", "```ts\na\n", 'a<span id="tail" class="as-typed">\n</span></code></pre></div>'],
    ["a paragraph with code at its end", "A `b`", '<code>b</code><span id="tail" class="as-typed"></span></p>'],
    ["a rule", "---", '<hr /><span id="tail" class="as-typed"></span>'],
  ])("puts new text at the end of the open block: %s", (_, text, html) => {
    expect(new Shown().update(text).open).toContain(html);
  });

  test("waits for the second half of a surrogate pair or CRLF", () => {
    const shown = new Shown();
    shown.update("A smile: \ud83d");
    shown.update("A smile: \ud83d\ude00\r");
    shown.update("A smile: \ud83d\ude00\r\nNext");
    expect(seen(shown.html)).toBe("A smile: \u{1f600}\nNext");
  });

  test("is shown as typed once it is too long to render", () => {
    const shown = new Shown();
    const text = "word ".repeat(40_001);
    shown.update(text);
    expect(shown.update(`${text}<b>`)).toEqual({ tail: "&lt;b&gt;" });
  });

  test("keeps a long code block with Windows line endings whole", () => {
    const lines = Array.from({ length: 12 }, (_, index) => `a${index};`);
    const text = ["```", ...lines, "```", "", "The end."].join("\r\n");
    const shown = new Shown();
    shown.update(text.slice(0, text.indexOf("The end")));
    shown.update(text.slice(0, -2));
    shown.update(text);
    expect(bare(shown.html)).toEndWith('</pre></div><p dir="auto">The end.</p>');
  });

  test("renders a finished block once", () => {
    const growing = new GrowingMarkdown("tail");
    growing.update("First.");
    expect(growing.update("First.\n\nSec").finished).toContain("First.");
    expect(growing.update("First.\n\nSecond").finished).toBe("");
  });
});
