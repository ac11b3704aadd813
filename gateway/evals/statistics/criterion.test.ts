import { describe, expect, test } from "bun:test";
import { times } from "../../../tests/statistics/simulate";
import { summarizeCriterion } from "./criterion";
import { type CriterionScore, CriterionScores } from "./criterion-scores";
import { cautiousRate, detectableRateChange } from "./power";

interface Result extends CriterionScore {
  sampleId: string;
  group: string | null;
}

const result = (fields: Partial<Result>): Result => ({
  sampleId: "s",
  group: null,
  value: null,
  passed: null,
  label: null,
  ...fields,
});

const judged = (sampleId: string, passed: boolean, fields: Partial<Result> = {}) =>
  result({ sampleId, passed, value: Number(passed), ...fields });

const summarize = (results: readonly Result[], options?: Parameters<typeof summarizeCriterion>[1]) => {
  const scores = new CriterionScores();
  const samples = Map.groupBy(results, ({ sampleId }) => sampleId).values();
  for (const [sample, repeats] of [...samples].entries())
    for (const { group, ...score } of repeats) scores.add(sample, group, score);
  return summarizeCriterion(scores, options);
};

const SCALE = { range: [0, 1] } as const;

test("verdicts of independent samples have a rate with Wilson's interval", () => {
  const summary = summarize(
    times(50, (i) => judged(`${i}`, i < 42)),
    SCALE,
  );
  expect(summary).toMatchObject({
    n: 50,
    errors: 0,
    mean: 0.84,
    clusters: null,
    pass_rate: { value: 0.84, interval: { method: "wilson" } },
    bounds: { worst: 0.84, best: 0.84 },
    pass_at_k: [],
    agreement: null,
  });
  expect(summary.detectable_difference).toBeCloseTo(detectableRateChange(cautiousRate(0.84, 50), 50) ?? 0, 2);
});

test("a run in which nothing passed can't detect a change of less than one sample", () => {
  for (const [n, isPassed] of [
    [100, false],
    [100, true],
    [12, false],
  ] as const) {
    const summary = summarize(
      times(n, (i) => judged(`${i}`, isPassed)),
      SCALE,
    );
    expect(summary.detectable_difference ?? 1).toBeGreaterThan(2 / n);
  }
});

describe("errors", () => {
  const results = [...times(6, (i) => judged(`${i}`, i < 3)), ...times(4, (i) => result({ sampleId: `broken ${i}` }))];

  test("only affect the bounds", () => {
    expect(summarize(results, SCALE)).toMatchObject({
      errors: 4,
      n: 6,
      pass_rate: { value: 0.5 },
      bounds: { worst: 0.3, best: 0.7 },
    });
  });

  test("a run with only errors has no figures", () => {
    expect(summarize(results.slice(6), SCALE)).toMatchObject({
      errors: 4,
      n: 0,
      mean: null,
      interval: null,
      pass_rate: null,
      bounds: null,
      detectable_difference: null,
    });
  });

  test("a sample with one scored repeat has a value", () => {
    const repeats = [judged("a", true), result({ sampleId: "a" }), judged("b", true), judged("b", false)];
    expect(summarize(repeats, SCALE)).toMatchObject({
      errors: 0,
      n: 2,
      pass_rate: { value: 0.75 },
      bounds: { worst: 0.5, best: 0.75 },
    });
  });
});

test("repeats count as one sample and give pass@k", () => {
  const summary = summarize(
    times(80, (i) => judged(`${i % 20}`, i % 3 > 0)),
    SCALE,
  );
  expect(summary.n).toBe(20);
  expect(summary.pass_at_k.map(({ k, n }) => [k, n])).toEqual(times(4, (i) => [i + 1, 20]));
  expect(summary.pass_at_k[0]?.any).toBeCloseTo(summary.pass_rate?.value ?? 0, 12);
});

test("shared groups widen the interval and the detectable difference", () => {
  const results = times(80, (i) =>
    judged(`${i}`, Math.floor(i / 8) % 3 > 0, { group: `document ${Math.floor(i / 8)}` }),
  );
  const summary = summarize(results, SCALE);
  expect(summary).toMatchObject({ n: 80, clusters: 10, pass_rate: { interval: { method: "cluster_robust" } } });
  const independent = summarize(results.map((each) => ({ ...each, group: null })));
  expect(summary.detectable_difference ?? 1).toBeGreaterThan(2 * (independent.detectable_difference ?? 1));
});

test("a criterion without a threshold has a mean, but no rate", () => {
  const summary = summarize(times(30, (i) => result({ sampleId: `${i}`, value: i / 30 })));
  expect(summary).toMatchObject({ n: 30, pass_rate: null, bounds: null, pass_at_k: [], agreement: null });
});

test("labels of repeats of a sample are not independent", () => {
  const results = times(120, (i) => judged(`${i % 40}`, i % 4 > 0, { label: i % 5 > 0 }));
  expect(summarize(results, SCALE).agreement).toMatchObject({
    labels: 120,
    sensitivity: { interval: { method: "cluster_robust" } },
  });
});
