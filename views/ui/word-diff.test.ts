import { expect, test } from "bun:test";
import { type DiffPiece, diffWords } from "./word-diff";

/** Marks what only this text has: "It opens at [7:00]." */
const marked = (pieces: readonly DiffPiece[] = []): string =>
  pieces.map(({ text, isShared }) => (isShared ? text : `[${text}]`)).join("");

const both = (one: string, other: string) => {
  const diff = diffWords(one, other);
  return diff && [marked(diff.one), marked(diff.other)];
};

test("words that only one text has are marked; case and line breaks don't count", () => {
  expect(both("It opens at 7:00 on Mondays.", "it opens\nat 6:30 on Mondays.")).toEqual([
    "It opens at [7:00] on Mondays.",
    "it opens\nat [6:30] on Mondays.",
  ]);
  expect(both("The answer is Paris.", "The answer is Paris.")).toEqual([
    "The answer is Paris.",
    "The answer is Paris.",
  ]);
  expect(both("Paris", "The capital is Paris, of course.")).toEqual(["Paris", "[The capital is ]Paris[, of course.]"]);
});

test("changed words next to each other are one change", () => {
  expect(both("It costs four euros each day", "It costs nine dollars each day")).toEqual([
    "It costs [four euros] each day",
    "It costs [nine dollars] each day",
  ]);
});

test("texts of languages without spaces are compared by words", () => {
  expect(both("今日は天気が良い", "今日は天気が悪い")?.[0]).toContain("[");
});

test("texts that have little in common or are too long are not marked", () => {
  expect(diffWords("Paris", "I don't know that one.")).toBeUndefined();
  expect(diffWords("", "anything")).toBeUndefined();
  const long = (start: number) => Array.from({ length: 3000 }, (_, n) => `w${start + n}`).join(" ");
  expect(diffWords(long(0), long(1500))).toBeUndefined();
});

test("the joined pieces of a text are the text", () => {
  const [one, other] = ["A  b\tc — d, e.", "a B x c d e!"];
  const diff = diffWords(one, other);
  expect(diff?.one.map(({ text }) => text).join("")).toBe(one);
  expect(diff?.other.map(({ text }) => text).join("")).toBe(other);
});
