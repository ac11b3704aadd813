import { expect, test } from "bun:test";
import { compareMeasured, type MeasuredQuestion } from "./compare";

const VERSIONS = { a: 1, b: 2, k: 5 };
const metrics = (value: number) => ({ ndcg_at_k: value, recall_at_k: value > 0 ? 1 : 0, mrr: value });

/** One question per pair of nDCG values. */
const measured = (pairs: readonly (readonly [a: number, b: number])[]): MeasuredQuestion[] =>
  pairs.map(([a, b], position) => ({ position, question: `Question ${position}`, a: metrics(a), b: metrics(b) }));

const repeated = (times: number, pair: readonly [number, number]) => Array.from({ length: times }, () => pair);

test("a version that ranks most questions higher is better, and the reverse is worse", () => {
  const pairs = [...repeated(12, [0.4, 0.9]), ...repeated(12, [0.5, 0.8]), ...repeated(3, [0.6, 0.5])];
  const better = compareMeasured(VERSIONS, measured(pairs));
  expect(better).toMatchObject({ ...VERSIONS, n: 27, verdict: "better" });
  expect(better.summary).toMatch(
    /^Version 2 is better than version 1: nDCG@5 is 0\.811 with version 2 and 0\.467 with version 1 on 27 questions \(95 % interval of the difference: \+0\.\d+ to \+0\.\d+\)\.$/,
  );
  const [ndcg, recall] = better.metrics;
  expect(ndcg).toMatchObject({ metric: "ndcg_at_k", better: 24, worse: 3, test: "paired_bootstrap" });
  expect(ndcg?.interval?.low).toBeGreaterThan(0);
  expect(recall).toMatchObject({ metric: "recall_at_k", difference: 0, better: 0, worse: 0 });
  const worse = compareMeasured(VERSIONS, measured(pairs.map(([a, b]) => [b, a])));
  expect(worse.verdict).toBe("worse");
});

test("changes in both directions show no difference, and the summary gives the detectable difference", () => {
  const pairs = [...repeated(10, [1, 0.5]), ...repeated(10, [0.5, 1]), ...repeated(5, [1, 1])];
  const { verdict, summary } = compareMeasured(VERSIONS, measured(pairs));
  expect(verdict).toBe("not_shown");
  expect(summary).toMatch(
    /^No difference shown: .* This many questions reliably show differences of 0\.\d\d or more\.$/,
  );
});

test("equal versions show no difference", () => {
  const { verdict, summary } = compareMeasured(VERSIONS, measured(repeated(3, [1, 1])));
  expect(verdict).toBe("not_shown");
  expect(summary).toContain("More questions may show one.");
});

test("questions that changed most come first, in both directions", () => {
  const { questions } = compareMeasured(
    VERSIONS,
    measured([
      [1, 1],
      [0.5, 0.4],
      [1, 0],
      [0.2, 0.8],
    ]),
  );
  expect(questions.map(({ position }) => position)).toEqual([2, 3, 1, 0]);
  expect(questions[0]).toMatchObject({ question: "Question 2", difference: -1 });
});
