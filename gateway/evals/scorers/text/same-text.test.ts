import { describe, expect, test } from "bun:test";
import { scoreCorrectness } from "../correctness/score-correctness";
import { isSameText } from "./same-text";

const PIECES =
  "a A I No Yes not the or & + - * / \\ | # @ $ € % ^ _ ` ~ ( ) [ ] { } < > = ! ? . , ; : ' \" ¹ ① ½ √ ∞ π α 5 10 -1 1.5 II 東 ة 😀 é e\u0301 \u0301".split(
    " ",
  );

/** A linear congruential generator with a fixed seed, so that failures are reproducible. */
const randomFrom = (seed: number) => {
  let state = seed;
  return (limit: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * limit);
  };
};

describe("an answer that is the reference", () => {
  test("passes for 2000 random strings, bare and wrapped", () => {
    const next = randomFrom(7);
    for (let run = 0; run < 2000; run++) {
      const length = 1 + next(5);
      const parts = Array.from({ length }, () => `${PIECES[next(PIECES.length)]}${next(2) ? " " : ""}`);
      const reference = parts.join("").trim();
      const wrapped = [
        reference,
        `**${reference}**`,
        `\`${reference}\``,
        `"${reference}"`,
        `The answer is ${reference}.`,
      ];
      for (const output of wrapped) {
        const { value } = scoreCorrectness({ question: "Which one?", references: [reference], contexts: [], output });
        expect([output, value]).toEqual([output, 1]);
      }
    }
  });

  test.each([
    ["3!", "3"],
    ["-1", "1"],
    ["a", "the answer is b"],
    ["[1]", "[2]"],
    ["A", "A or B"],
    ["", "."],
    ["C++", "C"],
    ["<5", "5"],
  ])("%j is not %j", (reference, output) => {
    expect(isSameText(reference, output)).toBe(false);
  });
});
