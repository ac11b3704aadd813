import { expect, test } from "bun:test";
import { blocksOf, lineSpans, piecesOf } from "./pieces";

test("every character is in exactly one piece, with the kinds of all spans around it", () => {
  const text = "Everyone has 30 days of leave.";
  const pieces = piecesOf(text, { start: 0, end: text.length }, [
    { start: 9, end: 20, kind: "cited" },
    { start: 13, end: 24, kind: "found" },
    { start: 28, end: 90, kind: "beyond" },
  ]);
  expect(pieces.map((piece) => [piece.text, piece.kinds])).toEqual([
    ["Everyone ", []],
    ["has ", ["cited"]],
    ["30 days", ["cited", "found"]],
    [" of ", ["found"]],
    ["leav", []],
    ["e.", ["beyond"]],
  ]);
});

test("headings, table rows and code have separate spans", () => {
  const text = "# A\n| b |\ntext\n```\n# not a heading\n```\n## C";
  const spans = lineSpans(text).map(({ start, end, kind }) => [text.slice(start, end), kind]);
  expect(spans).toEqual([
    ["# A", "title"],
    ["| b |", "mono"],
    ["```", "mono"],
    ["# not a heading", "mono"],
    ["```", "mono"],
    ["## C", "title"],
  ]);
});

test("blocks cover the whole text once, even if chunks overlap or leave a gap", () => {
  const chunks = [
    { start: 2, end: 10 },
    { start: 8, end: 20 },
    { start: 24, end: 30 },
  ];
  expect(blocksOf(31, chunks).map(({ start, end, repeatsTo }) => [start, end, repeatsTo])).toEqual([
    [0, 8, 0],
    [8, 24, 10],
    [24, 31, 24],
  ]);
});

test("a text without chunks is one block", () => {
  expect(blocksOf(5, [])).toEqual([{ start: 0, end: 5, chunk: undefined, repeatsTo: 0 }]);
});
