import { describe, expect, test } from "bun:test";
import { balancedAccuracyOf, bestOutcome, outcomeAt, thresholdCurve } from "./threshold";

const SCORES = { answerable: [0.305, 0.455, 0.52, null], unanswerable: [0.1, 0.305] };

describe("a threshold", () => {
  test("answers questions whose best score reaches it, and never questions without a score", () => {
    expect(outcomeAt(SCORES, 0.305)).toEqual({ threshold: 0.305, false_answers: 0.5, false_refusals: 0.25 });
    expect(outcomeAt(SCORES, 0.4)).toEqual({ threshold: 0.4, false_answers: 0, false_refusals: 0.5 });
  });

  test("has a balanced accuracy that is the mean of both fractions of correct decisions", () => {
    expect(balancedAccuracyOf(outcomeAt(SCORES, 0.4))).toBe(0.75);
  });
});

describe("the curve", () => {
  const curve = thresholdCurve(SCORES);

  test("ranges in steps of 0.01 from answering every question with a score to answering none", () => {
    expect(curve[0]).toEqual({ threshold: 0.1, false_answers: 1, false_refusals: 0.25 });
    expect(curve[1]?.threshold).toBe(0.11);
    expect(curve.at(-1)).toEqual({ threshold: 0.53, false_answers: 0, false_refusals: 1 });
    expect(curve).toHaveLength(44);
  });

  // 0.75 from 0.31 to 0.45, where both unanswerable and 2 of 4 answerable questions are right; at most 0.625 elsewhere.
  test("suggests the threshold with the best balanced accuracy, or the middle one of equally good thresholds", () => {
    expect(bestOutcome(curve)).toEqual({ threshold: 0.38, false_answers: 0, false_refusals: 0.5 });
  });

  test("is empty and suggests nothing if all questions are of one kind", () => {
    expect(thresholdCurve({ answerable: [0.5], unanswerable: [] })).toEqual([]);
    expect(thresholdCurve({ answerable: [], unanswerable: [0.5] })).toEqual([]);
    expect(bestOutcome([])).toBeNull();
  });
});
