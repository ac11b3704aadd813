import { describe, expect, test } from "bun:test";
import { ndcgAt, recallAt, reciprocalRank } from "./metrics";

const RANKED = ["a", "b", "c", "d"];
const BD = new Set(["b", "d"]);

describe("recall", () => {
  test.each([
    [1, 0],
    [2, 0.5],
    [4, 1],
    [10, 1],
  ])("at %d is the fraction of relevant ids found", (k, expected) => {
    expect(recallAt(RANKED, BD, k)).toBe(expected);
  });

  test("counts relevant ids that were not found", () => {
    expect(recallAt(RANKED, new Set(["a", "x", "y", "z"]), 4)).toBe(0.25);
  });
});

describe("reciprocal rank", () => {
  test("is 1 / rank of the first relevant id", () => {
    expect(reciprocalRank(RANKED, BD, 10)).toBe(1 / 2);
    expect(reciprocalRank(RANKED, new Set(["a"]), 10)).toBe(1);
  });

  test("is 0 if the first relevant id is after k, or missing", () => {
    expect(reciprocalRank(RANKED, new Set(["d"]), 3)).toBe(0);
    expect(reciprocalRank([], BD, 3)).toBe(0);
  });
});

describe("nDCG", () => {
  test("is 1 only for the best possible order", () => {
    expect(ndcgAt(["b", "d", "a"], BD, 10)).toBe(1);
    expect(ndcgAt(["d", "b"], BD, 10)).toBe(1);
    expect(ndcgAt(["a", "c"], BD, 10)).toBe(0);
  });

  // (1/log2(3) + 1/log2(5)) / (1 + 1/log2(3)) = (0.63093 + 0.43068) / 1.63093
  test("discounts each rank by log2(rank + 1)", () => {
    expect(ndcgAt(RANKED, BD, 10)).toBeCloseTo(0.65092, 5);
  });

  // Only rank 2 counts: 0.63093 / 1.63093
  test("ignores ranks after k", () => {
    expect(ndcgAt(RANKED, BD, 3)).toBeCloseTo(0.38685, 5);
  });

  test("at k is 1 if the first k ids are relevant, even if more ids are relevant", () => {
    expect(ndcgAt(["a", "b"], new Set(["a", "b", "c"]), 2)).toBe(1);
  });
});
