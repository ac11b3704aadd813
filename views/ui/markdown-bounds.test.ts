import { afterEach, describe, expect, mock, spyOn, test } from "bun:test";
import { Lexer } from "marked";
import { expectPaired, seen } from "../../tests/html";
import { GrowingMarkdown } from "./growing-markdown";
import { markdown } from "./markdown";

/** Texts that make an unbounded renderer recurse, backtrack or produce huge output. */
const EXTREMES: [string, string][] = [
  ["10,000 quotes", `${">".repeat(10_000)}x`],
  ["10,000 spaced quotes", `${"> ".repeat(10_000)}x`],
  ["10,000 brackets", "[".repeat(10_000)],
  ["10,000 nested links", `${"[".repeat(5000)}a${"](b)".repeat(5000)}`],
  ["10,000 images", "![".repeat(10_000)],
  ["10,000 stars", "*".repeat(10_000)],
  ["10,000 opened emphases", "*a".repeat(10_000)],
  ["10,000 nested strongs", "**a ".repeat(10_000)],
  ["10,000 closed emphases", "a** ".repeat(10_000)],
  ["10,000 underscores with letters", "_a".repeat(10_000)],
  ["10,000 bullets in a line", `${"- ".repeat(10_000)}x`],
  ["10,000 numbers in a line", `${"1. ".repeat(10_000)}x`],
  ["1,000 nested lists", Array.from({ length: 1000 }, (_, depth) => `${" ".repeat(depth * 2)}- x`).join("\n")],
  ["lists in quotes in lists", `${"> - ".repeat(3000)}x`],
  ["lists in quotes with lazy continuation lines", `${"> - ".repeat(10)}a\nlazy\n`.repeat(20)],
  ["10,000 tags", "<div>".repeat(10_000)],
  ["10,000 open tags", "<a ".repeat(10_000)],
  ["10,000 comments", "<!--".repeat(10_000)],
  [
    "runs of backticks of every length",
    Array.from({ length: 400 }, (_, index) => `${"`".repeat(index + 1)}a`).join(""),
  ],
  ["pairs of backticks that do not match", "`a``b".repeat(10_000)],
  ["10,000 tildes with letters", "~~a".repeat(10_000)],
  ["a table of 3,000 columns and rows", `${"|a".repeat(3000)}|\n${"|-".repeat(3000)}|\n${"|b|\n".repeat(3000)}`],
  ["a table with 10,000 short rows", `|a|b|c|d|\n|-|-|-|-|\n${"|\n".repeat(10_000)}`],
  ["a line of 1 MB", "a".repeat(1_000_000)],
  ["1 MB of words", "word ".repeat(200_000)],
  ["1 MB of open emphasis", "*a ".repeat(330_000)],
  ["100,000 line breaks", `a${"\n".repeat(100_000)}b`],
  ["100,000 spaces", `a${" ".repeat(100_000)}b`],
  ["10,000 addresses", "http://".repeat(10_000)],
  ["a word of 20,000 parts before an @", `${"a.".repeat(10_000)}@`],
  ["10,000 dollars", "$a".repeat(10_000)],
  ["5,000 formulas that do not end", "\\[\n".repeat(5000)],
  ["5,000 definitions", "[a]: b\n".repeat(5000)],
  ["20,000 lines of code", `\`\`\`js\n${"const a = 1; // x\n".repeat(20_000)}`],
];

describe("rendering is bounded", () => {
  afterEach(() => mock.restore());

  const depthOf = (html: string): number => {
    let depth = 0;
    let deepest = 0;
    for (const [, slash, tag = ""] of html.matchAll(/<(\/?)([a-z]\w*)[^>]*>/g)) {
      if (!["br", "hr", "input"].includes(tag)) depth += slash ? -1 : 1;
      deepest = Math.max(deepest, depth);
    }
    return deepest;
  };

  test.each(EXTREMES)("%s is shown with shallow HTML that is not much longer than the text", (_, text) => {
    const html = markdown(text);
    expectPaired(html);
    expect(depthOf(html)).toBeLessThan(60);
    expect(html.length).toBeLessThan(14 * text.length + 1000);
  });

  test("text beyond a limit is shown as typed", () => {
    expect(seen(markdown(`${"> ".repeat(1000)}deep *down*`))).toEndWith("> deep *down*");
    expect(seen(markdown(`${"*".repeat(3)}a${"*".repeat(3)} ${"[".repeat(1000)}`))).toBe(`a ${"[".repeat(1000)}`);
    expect(seen(markdown(`${"word ".repeat(50_000)}\n*end*`))).toEndWith("*end*");
  });

  test("ordinary nesting is kept", () => {
    const html = markdown(Array.from({ length: 8 }, (_, depth) => `${"  ".repeat(depth)}- level ${depth}`).join("\n"));
    expect(html.match(/<ul/g)).toHaveLength(8);
  });

  test("a text that cannot be rendered is shown as typed", () => {
    spyOn(Lexer.prototype, "lex").mockImplementation(() => {
      throw new RangeError("Maximum call stack size exceeded.");
    });
    expect(markdown("*a* <b>\nc")).toBe('<p class="as-typed" dir="auto">*a* &lt;b&gt;\nc</p>\n');
    const growing = new GrowingMarkdown("tail");
    expect(growing.update("*a* <b>").open).toContain("*a* &lt;b&gt;");
    expect(growing.update("*a* <b> <c>")).toEqual({ tail: " &lt;c&gt;" });
  });
});
