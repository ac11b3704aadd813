import { describe, expect, test } from "bun:test";
import { times } from "../../../tests/statistics/simulate";
import { type CriterionResult, summarizeCriterion } from "./criterion";
import { detectableRateChange } from "./power";

const result = (fields: Partial<CriterionResult>): CriterionResult => ({
  sampleId: "s",
  group: null,
  value: null,
  passed: null,
  label: null,
  ...fields,
});

const judged = (sampleId: string, passed: boolean, fields: Partial<CriterionResult> = {}) =>
  result({ sampleId, passed, value: Number(passed), ...fields });

const SCALE = { range: [0, 1] } as const;

test("verdicts of independent samples", () => {
  const summary = summarizeCriterion(
    times(50, (i) => judged(`${i}`, i < 42)),
    SCALE,
  );
  expect(summary).toMatchObject({
    errors: 0,
    mean: { n: 50, value: 0.84 },
    passRate: { n: 50, value: 0.84, clusters: null, interval: { method: "wilson" } },
    bounds: { worst: 0.84, best: 0.84 },
    passAtK: [],
    calibration: null,
  });
  expect(summary.detectableChange).toBeCloseTo(detectableRateChange(0.84, 50) ?? 0, 2);
});

describe("errors", () => {
  const results = [...times(6, (i) => judged(`${i}`, i < 3)), ...times(4, (i) => result({ sampleId: `broken ${i}` }))];

  test("only count in the bounds", () => {
    expect(summarizeCriterion(results, SCALE)).toMatchObject({
      errors: 4,
      passRate: { n: 6, value: 0.5 },
      bounds: { worst: 0.3, best: 0.7 },
    });
  });

  test("a run with only errors has no figures", () => {
    expect(summarizeCriterion(results.slice(6), SCALE)).toMatchObject({
      errors: 4,
      mean: { n: 0, value: null, interval: null },
      passRate: null,
      bounds: null,
      detectableChange: null,
    });
  });

  test("a sample with one scored repeat has a value", () => {
    const repeats = [judged("a", true), result({ sampleId: "a" }), judged("b", true), judged("b", false)];
    expect(summarizeCriterion(repeats, SCALE)).toMatchObject({
      errors: 0,
      passRate: { n: 2, value: 0.75 },
      bounds: { worst: 0.5, best: 0.75 },
    });
  });
});

test("repeats count as one sample and give pass@k", () => {
  const summary = summarizeCriterion(
    times(80, (i) => judged(`${i % 20}`, i % 3 > 0)),
    SCALE,
  );
  expect(summary.passRate?.n).toBe(20);
  expect(summary.passAtK.map(({ k, n }) => [k, n])).toEqual(times(4, (i) => [i + 1, 20]));
  expect(summary.passAtK[0]?.any).toBeCloseTo(summary.passRate?.value ?? 0, 12);
});

test("shared groups widen the interval and the detectable difference", () => {
  const results = times(80, (i) =>
    judged(`${i}`, Math.floor(i / 8) % 3 > 0, { group: `document ${Math.floor(i / 8)}` }),
  );
  const summary = summarizeCriterion(results, SCALE);
  expect(summary.passRate).toMatchObject({ n: 80, clusters: 10, interval: { method: "cluster_robust" } });
  const independent = summarizeCriterion(results.map((each) => ({ ...each, group: null })));
  expect(summary.detectableChange ?? 1).toBeGreaterThan(2 * (independent.detectableChange ?? 1));
});

test("a criterion without a threshold has a mean, but no rate", () => {
  const summary = summarizeCriterion(times(30, (i) => result({ sampleId: `${i}`, value: i / 30 })));
  expect(summary).toMatchObject({ mean: { n: 30 }, passRate: null, bounds: null, passAtK: [], calibration: null });
});

test("labels of repeats depend on each other", () => {
  const results = times(120, (i) => judged(`${i % 40}`, i % 4 > 0, { label: i % 5 > 0 }));
  expect(summarizeCriterion(results, SCALE).calibration).toMatchObject({
    labels: 120,
    sensitivity: { interval: { method: "cluster_robust" } },
  });
});
