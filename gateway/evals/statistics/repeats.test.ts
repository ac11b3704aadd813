import { expect, test } from "bun:test";
import fc from "fast-check";
import { reference } from "../../../tests/fixtures/statistics/reference";
import { expectClose } from "../../../tests/statistics/expect-close";
import { passAtK } from "./criterion";
import { CriterionScores } from "./criterion-scores";

test("pass@k and pass^k are proportions of all choices of k attempts", () => {
  for (const { passes, attempts, k, any, all } of reference.passAtK) {
    const row = passAtK([{ passes, attempts }])[k - 1];
    expect(row?.k).toBe(k);
    expect(row?.any).toBeCloseTo(any, 12);
    expect(row?.all).toBeCloseTo(all, 12);
  }
});

test("with one attempt, both are the pass rate; more attempts never lower pass@k or raise pass^k", () => {
  const sample = fc
    .tuple(fc.integer({ min: 0, max: 8 }), fc.constant(8))
    .map(([passes, attempts]) => ({ passes, attempts }));
  fc.assert(
    fc.property(fc.array(sample, { minLength: 1 }), (samples) => {
      const rows = passAtK(samples);
      const rate = samples.reduce((sum, { passes }) => sum + passes / 8, 0) / samples.length;
      expectClose(rows[0]?.any ?? null, rate, 1e-12);
      expectClose(rows[0]?.all ?? null, rate, 1e-12);
      rows.slice(1).forEach((row, i) => {
        expect(row.any).toBeGreaterThanOrEqual((rows[i]?.any ?? 0) - 1e-12);
        expect(row.all).toBeLessThanOrEqual((rows[i]?.all ?? 0) + 1e-12);
      });
    }),
  );
});

test("a sample with fewer attempts than k is excluded for k", () => {
  const rows = passAtK([
    { passes: 1, attempts: 1 },
    { passes: 0, attempts: 2 },
  ]);
  expect(rows).toEqual([
    { k: 1, n: 2, any: 0.5, all: 0.5 },
    { k: 2, n: 1, any: 0, all: 0 },
  ]);
  expect(passAtK([])).toEqual([]);
});

test("repeats are averaged by sample, in any number", () => {
  const scores = new CriterionScores();
  const given = [
    [0, "x", 1],
    [0, "x", 0],
    [0, "x", 0.5],
    [1, null, null],
    [2, null, 0],
  ] as const;
  for (const [sample, group, value] of given) scores.add(sample, group, { value, passed: null, label: null });
  expect([scores.samples, scores.scores]).toEqual([3, 5]);
  expect(scores.means((value) => value)).toEqual({ values: [0.5, 0], groups: ["x", null] });
});
