import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { ExtractedDocument } from "../extract/extract";
import { CHUNKER, type ChunkOptions, chunkDocument } from "./chunk";

/** Counts one token per word and punctuation mark, and two special tokens per text, like BERT's tokenizers. */
const countWords = async (texts: string[]): Promise<number[]> =>
  texts.map((text) => 2 + (text.match(/\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu)?.length ?? 0));

const documentOf = (text: string, fields: Partial<ExtractedDocument> = {}): ExtractedDocument => ({
  title: null,
  text,
  pages: [],
  mediaType: "text/markdown",
  ...fields,
});

const chunk = (text: string, options: Partial<ChunkOptions> = {}, fields: Partial<ExtractedDocument> = {}) =>
  chunkDocument(documentOf(text, fields), {
    chunkTokens: 40,
    overlapTokens: 0,
    title: null,
    countTokens: countWords,
    ...options,
  });

const textsOf = async (...parameters: Parameters<typeof chunk>) =>
  (await chunk(...parameters)).map((piece) => piece.text);

const sentence = (word: string, length = 10) => `The ${Array.from({ length: length - 2 }, () => word).join(" ")} ends.`;

describe("sections", () => {
  test("each heading starts a chunk, which lists the headings above it", async () => {
    const pieces = await chunk(
      `# Leave\n\n${sentence("a", 30)}\n\n## Illness\n\n${sentence("b", 6)}\n\n### Pay\n\n${sentence("c")}\n\n## Parents\n\n${sentence("d")}`,
    );
    expect(pieces.map((piece) => piece.heading)).toEqual(["Leave", "Leave > Illness > Pay", "Leave > Parents"]);
    expect(pieces.at(-1)?.text).toBe(`## Parents\n\n${sentence("d")}`);
  });

  test("headings without text belong to the next section, or at the end to the previous one", async () => {
    expect(await textsOf("# A\n\n## B\n\ntext\n\n## C")).toEqual(["# A\n\n## B\n\ntext\n\n## C"]);
    expect(await textsOf("# A\n\n## B")).toEqual(["# A\n\n## B"]);
  });

  test("`searchText` starts with the title and headings, without repeating them in the text", async () => {
    const [piece] = await chunk("# Fees\n\n## Late *books*\n\n20 pence.", { title: "Library" });
    expect(piece?.searchText).toBe("Library\nFees > Late *books*\n\n20 pence.");
    const [same] = await chunk("# Fees\n\n20 pence.", { title: "Fees | Library" });
    expect(same?.searchText).toBe("Fees | Library\n\n20 pence.");
  });

  test("headings that are too long for a chunk are shortened", async () => {
    const [piece] = await chunk(`# ${"long ".repeat(60)}\n\n## Short\n\ntext`);
    expect(piece?.searchText).toBe("Short\n\ntext");
  });

  test("each row of a CSV file is its own chunk", async () => {
    expect(await textsOf("## A?\n\nYes.\n\n## B?\n\nNo.", {}, { mediaType: "text/csv" })).toEqual([
      "## A?\n\nYes.",
      "## B?\n\nNo.",
    ]);
  });
});

describe("a chunk that has room never cuts", () => {
  test("sentences with line breaks or abbreviations in them", async () => {
    const text = `The pump weighs approx. 38 kilograms\nwithout cable. Dr. Moss says so. ${sentence("x", 30)}`;
    expect(await textsOf(text)).toEqual([
      "The pump weighs approx. 38 kilograms\nwithout cable. Dr. Moss says so.",
      sentence("x", 30),
    ]);
  });

  test.each([
    ["Chinese", "病假超过两天的,员工须提交医生证明。病假期间前六周工资照发。"],
    ["Arabic", "هل تفتح العيادة يوم الجمعة؟ نعم، من الثامنة صباحا."],
  ])("sentences in %s", async (_, text) => {
    const byCharacter = async (texts: string[]) => texts.map((each) => each.length);
    const pieces = await chunk(text, { chunkTokens: 28, countTokens: byCharacter });
    expect(pieces.length).toBe(2);
    expect(pieces[0]?.text).toMatch(/[。؟]$/);
  });

  test("list items", async () => {
    const items = ["a", "b", "c", "d"].map((word) => `- ${sentence(word, 14)} And more.`);
    expect(await textsOf(items.join("\n"))).toEqual([`${items[0]}\n${items[1]}`, `${items[2]}\n${items[3]}`]);
  });

  test("code blocks, and cuts longer ones only between lines", async () => {
    const code = "```sh\n# not a heading\nrun one\n\nrun two\n```";
    expect(await textsOf(`${sentence("a", 25)}\n\n${code}`)).toEqual([sentence("a", 25), code]);
    const long = `\`\`\`\n${Array.from({ length: 30 }, (_, i) => `run ${i} now`).join("\n")}\n\`\`\``;
    for (const text of await textsOf(long)) expect(text).toMatch(/^(```\n)?run \d+ now[\s\S]*(now|```)$/);
  });

  test("indented code", async () => {
    const code = "    # not a heading\n    run one. Then stop\n\n    run two";
    expect(await textsOf(`${sentence("a", 30)}\n\n${code}`)).toEqual([sentence("a", 30), code]);
  });

  test("table rows, and repeats the header only in `searchText`", async () => {
    const header = "| Part | Price |\n| --- | --- |";
    const rows = Array.from({ length: 6 }, (_, i) => `| TP-${i} | ${i}.00 |`);
    const pieces = await chunk(`${header}\n${rows.join("\n")}`);
    expect(pieces.map((piece) => piece.text)).toEqual(
      [`${header}\n${rows[0]}\n${rows[1]}`, rows.slice(2, 4).join("\n"), rows.slice(4).join("\n")].slice(
        0,
        pieces.length,
      ),
    );
    expect(pieces[1]?.searchText).toStartWith(`${header}\n| TP-2`);
  });

  test("nested list items, and repeats the parent item only in `searchText`", async () => {
    const pieces = await chunk(`1. Medicine\n   - ${sentence("cats", 25)}\n   - ${sentence("dogs", 25)}`);
    expect(pieces[1]?.searchText).toBe(`1. Medicine\n   - ${sentence("dogs", 25)}`);
  });
});

test("a chunk repeats whole sentences of the previous chunk, but no table rows and nothing from another section", async () => {
  const sentences = ["a", "b", "c", "d", "e", "f"].map((word) => sentence(word));
  const texts = await textsOf(`${sentences.join(" ")}\n\n# Other\n\nNew text.`, { overlapTokens: 12 });
  expect(texts[1]).toStartWith(sentences[2] ?? "");
  expect(texts.at(-1)).toBe("# Other\n\nNew text.");
});

test("a chunk contains only sentences that start on its page", async () => {
  const text = "First page. It goes on\nover the page. Second page.";
  const pieces = await chunk(text, {}, { pages: [0, text.indexOf("over"), text.length] });
  expect(pieces.map((piece) => [piece.page, piece.text])).toEqual([
    [1, "First page. It goes on\nover the page."],
    [2, "Second page."],
  ]);
});

test("a line without spaces is cut to fit the limits", async () => {
  const asOneWord = async (texts: string[]) => texts.map(() => 1);
  const pieces = await chunk("█".repeat(100_000), { countTokens: asOneWord });
  expect(Math.max(...pieces.map((piece) => piece.text.length))).toBeLessThanOrEqual(20_000);
});

const MARKDOWN = fc
  .array(
    fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.lorem({ mode: "sentences" }),
      fc.tuple(fc.constantFrom("#", "##", "###"), fc.lorem({ maxCount: 12 })).map((heading) => heading.join(" ")),
      fc.constantFrom(
        "# A",
        "## B",
        "- item",
        "  - nested",
        "1. one",
        "| a | b |",
        "| - | - |",
        "```",
        "\n",
        "---",
        "> quote",
        "漢字。",
        "🐕‍🦺",
        "a".repeat(300),
      ),
    ),
  )
  .map((lines) => lines.join("\n"));

test("for any text, offsets reproduce the chunks, every word is in a chunk, and no chunk exceeds the limits", async () => {
  const limits = fc.record({
    chunkTokens: fc.integer({ min: 24, max: 120 }),
    overlapTokens: fc.integer({ min: 0, max: 23 }),
  });
  await fc.assert(
    fc.asyncProperty(MARKDOWN, limits, async (text, { chunkTokens, overlapTokens }) => {
      const pieces = await chunk(text, { chunkTokens, overlapTokens, title: "Title" });
      const covered = new Uint8Array(text.length);
      for (const { start, end, text: own, searchText, tokens } of pieces) {
        expect(text.slice(start, end)).toBe(own);
        if (text.isWellFormed()) expect(own.isWellFormed()).toBe(true);
        expect([tokens]).toEqual(await countWords([searchText]));
        expect(tokens).toBeLessThanOrEqual(chunkTokens);
        covered.fill(1, start, end);
      }
      const missing = text.split("").filter((character, i) => covered[i] === 0 && character.trim() !== "");
      expect(missing).toEqual([]);
      expect(pieces.every((piece, i) => i === 0 || piece.start >= (pieces[i - 1]?.start ?? 0))).toBe(true);
    }),
  );
});

test("tokens are counted in a few calls, however long the text is", async () => {
  let calls = 0;
  const counted = (texts: string[]) => {
    calls++;
    return countWords(texts);
  };
  await chunk(Array.from({ length: 500 }, (_, i) => `# H${i}\n\n${sentence("x", 80)} ${sentence("y")}`).join("\n\n"), {
    countTokens: counted,
  });
  expect(calls).toBeLessThanOrEqual(8);
});

/** If this fails, the chunks of a text have changed. Raise the chunker's version, so that indexes are rebuilt. */
test("a version of the chunker always makes the same chunks", async () => {
  const text = `---\ntitle: T\n---\n\n# A\n\nIntro.\n\n## B\n\n${sentence("b", 30)} ${sentence("c", 30)}\n\n1. one\n   - ${sentence("d", 30)}\n\n| x | y |\n| - | - |\n| 1 | 2 |\n\n~~~\ncode\n~~~`;
  const pieces = await chunk(text, { overlapTokens: 10, title: "T" });
  const versions = { [CHUNKER]: Bun.hash(JSON.stringify(pieces)).toString(36) };
  expect(versions).toEqual({ "markdown@1": "1awjq9cxaxhrz" });
});
