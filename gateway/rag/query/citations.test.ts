import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { chunkOf } from "../../../tests/stored-chunk";
import { groundAnswer } from "../../evals/scorers/faithfulness/ground-answer";
import { findCitations, readMarkers, sourcesOf } from "./citations";
import { mergeChunks, type StoredChunk } from "./merge";

describe("markers", () => {
  test.each([
    ["Paris [1].", "Paris [1].", [1]],
    ["Paris.[1] Rome.[2]", "Paris.[1] Rome.[2]", [1, 2]],
    ["Paris [1, 3].", "Paris [1][3].", [1, 3]],
    ["Paris [1-3].", "Paris [1][2][3].", [1, 2, 3]],
    ["Paris [1][2].", "Paris [1][2].", [1, 2]],
    ["Paris【1】.", "Paris[1].", [1]],
    ["Paris【2†guide.pdf】.", "Paris[2].", [2]],
    ["Paris [passage 2].", "Paris [2].", [2]],
    ["Paris (source 1 and 2).", "Paris [1][2].", [1, 2]],
    ["Paris [1](https://example.com/x).", "Paris [1].", [1]],
    ["The capital is [2].", "The capital is [2].", [2]],
  ])("%j", (text, answer, numbers) => {
    const marked = readMarkers(text, 3);
    expect([marked.answer, marked.markers.map(({ number }) => number), marked.removed]).toEqual([answer, numbers, 0]);
    for (const { number, start, end } of marked.markers) expect(answer.slice(start, end)).toBe(`[${number}]`);
  });

  test.each([
    ["Paris [4].", "Paris.", 1],
    ["Paris [0] is.", "Paris is.", 1],
    ["Paris [1, 7].", "Paris [1].", 1],
    ["Paris [1-7].", "Paris [1][2][3].", 4],
    ["Paris【9】and Rome", "Paris and Rome", 1],
    ["Paris is the capital【9】.Rome is not.", "Paris is the capital.Rome is not.", 1],
    ["founded in 1987〔9〕.Berlin", "founded in 1987.Berlin", 1],
    ["Paris [1[9],2].", "Paris [1][2].", 1],
    ["[9] Paris", " Paris", 1],
  ])("a marker without a context is removed and counted: %j", (text, answer, removed) => {
    expect(readMarkers(text, 3)).toMatchObject({ answer, removed });
  });

  test.each(["`items[7]`", "```\nx = [9]\n```", "The range is [0, 1].", "scores[7] = 5", "the year [1889]"])(
    "%j has no marker",
    (text) => {
      expect(readMarkers(text, 3)).toEqual({ answer: text, markers: [], removed: 0 });
    },
  );

  test("an answer of nested brackets is read in a few passes and has no marker", () => {
    const depth = 20_000;
    const { answer, markers } = readMarkers(`${"[9".repeat(depth)}[9]${",9]".repeat(depth)}`, 3);
    expect([markers, /[[\]]/.test(answer)]).toEqual([[], false]);
  });

  test("R2: no marker without a context is left in 1,000 random answers", () => {
    const piece = fc.constantFrom(
      "[",
      "]",
      "1",
      "2",
      "9",
      "[9]",
      "[1]",
      "[2, 8]",
      "【7】",
      " ",
      ".",
      ", ",
      "Paris",
      "^",
      "-",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), fc.nat(3), (pieces, contexts) => {
        const { answer, markers } = readMarkers(pieces.join(""), contexts);
        for (const [, number] of answer.matchAll(/(?<![\p{L}\p{N}=][[^]*)[[【](\d{1,3})[\]】]/gu)) {
          expect(Number(number)).toBeWithin(1, contexts + 1);
        }
        for (const { number, start, end } of markers) {
          expect(number).toBeWithin(1, contexts + 1);
          expect(answer.slice(start, end)).toBe(`[${number}]`);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("citations", () => {
  const LEAVE = "# Leave\n\nEveryone has 30 days of leave. Illness is reported by phone.\n\nLeave is booked in March.";
  const OFFICES = "The company was founded in 1987. It has 12 offices.";

  const cite = (text: string, chunks: StoredChunk[], question: string | null = null) => {
    const contexts = mergeChunks(chunks);
    const marked = readMarkers(text, contexts.length);
    const texts = contexts.map((context) => context.text);
    const grounded = groundAnswer({ question, references: [], contexts: texts, output: marked.answer });
    const citations = findCitations(marked, contexts, grounded);
    return { ...marked, citations, sources: sourcesOf(citations, contexts) };
  };
  const leave = chunkOf(LEAVE);
  const offices = chunkOf(OFFICES, 0, undefined, { documentId: "doc_b", documentTitle: "Offices", source: null });

  test("a marker cites the sentence in its context that supports the preceding sentence", () => {
    const { answer, citations } = cite("Illness is reported by phone [1]. It was founded in 1987. [2]", [
      leave,
      offices,
    ]);
    expect(citations.map(({ quote, found_by, document_id }) => [quote, found_by, document_id])).toEqual([
      ["Illness is reported by phone.", "model", "doc_a"],
      ["The company was founded in 1987.", "model", "doc_b"],
    ]);
    for (const { marker, answer_start, answer_end, start, end, quote, document_id } of citations) {
      expect(answer.slice(answer_start, answer_end)).toBe(`[${marker}]`);
      expect((document_id === "doc_a" ? LEAVE : OFFICES).slice(start, end)).toBe(quote);
    }
  });

  test("Groundwire adds a citation to a supported sentence without a marker, but not to an unsupported one", () => {
    const text =
      "It was founded in 1987. Elephants like bananas from tropical gardens. Everyone has 30 days of leave [1].";
    const { answer, citations } = cite(text, [leave, offices]);
    expect(citations.map(({ found_by, marker, quote }) => [found_by, marker, quote])).toEqual([
      ["groundwire", 2, "The company was founded in 1987."],
      ["model", 1, "Everyone has 30 days of leave."],
    ]);
    expect(answer.slice(citations[0]?.answer_start, citations[0]?.answer_end)).toBe("It was founded in 1987.");
  });

  test("a marker after a sentence without a claim cites the sentence closest to the question", () => {
    expect(cite("Yes [1].", [leave], "Is illness reported by phone?").citations).toMatchObject([
      { quote: "Illness is reported by phone.", found_by: "model" },
    ]);
  });

  test.each([
    "[1] Illness is reported by phone.\n[2] The company was founded in 1987.",
    "- [1] Illness is reported by phone.\n- [2] The company was founded in 1987.",
    "Illness is reported by phone.\n[1]\n\nThe company was founded in 1987.\n[2]",
  ])(
    "a marker at the start of a line belongs to that line's sentence, or to the previous one if it has none: %j",
    (text) => {
      expect(cite(text, [leave, offices]).citations.map(({ quote, found_by }) => [quote, found_by])).toEqual([
        ["Illness is reported by phone.", "model"],
        ["The company was founded in 1987.", "model"],
      ]);
    },
  );

  test("a citation of merged chunks names the chunk that contains the quote, and its page", () => {
    const rest = { documentId: "doc_c", pages: [0, 40, 70] };
    const first = chunkOf(LEAVE, 0, 50, { ...rest, position: 0, page: 1 });
    const second = chunkOf(LEAVE, 40, LEAVE.length, { ...rest, position: 1, page: 2 });
    const { citations } = cite("Leave is booked in March [1].", [first, second]);
    expect(citations).toMatchObject([{ chunk_id: second.id, quote: "Leave is booked in March.", page: 3 }]);
    expect(LEAVE.slice(citations[0]?.start, citations[0]?.end)).toBe("Leave is booked in March.");
  });

  test("only cited documents are sources", () => {
    expect(cite("It was founded in 1987 [2].", [leave, offices]).sources).toEqual([
      { document_id: "doc_b", title: "Offices", source: null },
    ]);
    expect(cite("I don't know.", [leave, offices])).toMatchObject({ citations: [], sources: [] });
  });
});
