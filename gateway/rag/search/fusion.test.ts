import { expect, test } from "bun:test";
import { fuse } from "./fusion";

const candidate = (
  vectorScore: number,
  keywordScore: number,
  vectorRank: number | null,
  keywordRank: number | null,
) => ({
  vectorScore,
  keywordScore,
  vectorRank,
  keywordRank,
});
const rounded = (scores: number[]) => scores.map((score) => Number(score.toFixed(4)));

test("scores are scaled to 0…1 per retriever, then weighted", () => {
  const candidates = [candidate(0.9, 2, 1, 2), candidate(0.5, 10, 2, 1), candidate(0.1, 0, 3, null)];
  expect(rounded(fuse(candidates, { kind: "score", vectorWeight: 0.7 }))).toEqual([0.76, 0.65, 0]);
});

test("a weight of 1 or 0 ignores one retriever", () => {
  const candidates = [candidate(0.9, 2, 1, 2), candidate(0.5, 10, 2, 1)];
  expect(fuse(candidates, { kind: "score", vectorWeight: 1 })).toEqual([1, 0]);
  expect(fuse(candidates, { kind: "score", vectorWeight: 0 })).toEqual([0, 1]);
});

test("a retriever with equal scores has no influence", () => {
  const candidates = [candidate(0.9, 0, 1, null), candidate(0.5, 0, 2, null)];
  expect(fuse(candidates, { kind: "score", vectorWeight: 0.5 })).toEqual([0.5, 0]);
});

test("ranks are fused as the sum of 1/(60 + rank), scaled so that first in both lists is 1", () => {
  const candidates = [candidate(0, 0, 1, 1), candidate(0, 0, 2, null), candidate(0, 0, 3, 2)];
  expect(rounded(fuse(candidates, { kind: "rank" }))).toEqual(rounded([1, 61 / 62 / 2, (61 / 63 + 61 / 62) / 2]));
});

test("no candidates have no scores", () => {
  expect(fuse([], { kind: "score", vectorWeight: 0.5 })).toEqual([]);
});
