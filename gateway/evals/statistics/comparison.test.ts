import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { reference } from "../../../tests/fixtures/statistics/reference";
import { expectClose } from "../../../tests/statistics/expect-close";
import { normal, times, uniform } from "../../../tests/statistics/simulate";
import { variance, wilsonInterval } from "./interval";
import { comparePairs, holmAdjust, mcnemarExact } from "./paired";
import { detectableDifference, detectablePairedChange, detectableRateChange, samplesToDecide } from "./power";
import { createRandom } from "./random";

describe("equal to statsmodels", () => {
  test("exact McNemar", () => {
    for (const { better, worse, p } of reference.mcnemar) expectClose(mcnemarExact(better, worse), p);
  });

  test("Holm's adjustment", () => {
    for (const { p, adjusted } of reference.holm) {
      holmAdjust(p).forEach((value, i) => {
        expectClose(value, adjusted[i] ?? Number.NaN);
      });
    }
  });

  test("the smallest detectable change and the required number of samples are consistent", () => {
    for (const { kind, rate, change, n } of reference.detectable) {
      const smallest = kind === "paired" ? detectablePairedChange : detectableRateChange;
      expectClose(smallest(rate, n), change);
    }
  });
});

test("a design effect divides the number of samples", () => {
  expect(detectableRateChange(0.7, 900, { designEffect: 3 })).toBe(detectableRateChange(0.7, 300));
  expect(detectablePairedChange(0.2, 900, { designEffect: 3 })).toBe(detectablePairedChange(0.2, 300));
});

test("with more samples or less power, smaller changes are detectable, and with too few samples none are", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 2000 }), (rate, n) => {
      const change = detectableRateChange(rate, n) ?? 1;
      expect(detectableRateChange(rate, n + 1) ?? 1).toBeLessThanOrEqual(change);
      expect(detectableRateChange(rate, n, { power: 0.6 }) ?? 1).toBeLessThanOrEqual(change);
    }),
    { examples: [[0.21941718833735308, 1]] },
  );
  expect([detectableRateChange(0.5, 2), detectableRateChange(0.5, 0)]).toEqual([null, null]);
  expect([detectablePairedChange(0.1, 20), detectablePairedChange(0, 20)]).toEqual([null, null]);
});

test("with the required number of samples the interval excludes the bound, with one sample less it doesn't", () => {
  for (const [value, bound] of [
    [0.84, 0.8],
    [0.6, 0.7],
    [1, 0.95],
  ] as const) {
    const n = samplesToDecide(value, bound, bound * (1 - bound)) ?? 0;
    const contains = (count: number) => {
      const { low = 0, high = 1 } = wilsonInterval(value * count, count) ?? {};
      return low <= bound && bound <= high;
    };
    expect([contains(n - 1), contains(n)]).toEqual([true, false]);
  }
  expect(samplesToDecide(0.8, 0.8, 0.16)).toBeNull();
  expect(samplesToDecide(0.84, 0.8, 0.16, { designEffect: 2 })).toBe(769);
});

describe("two runs", () => {
  const random = createRandom(11);
  const baseline = times(200, () => Number(uniform(random) < 0.7));
  const candidate = baseline.map((verdict) => (uniform(random) < 0.15 ? 1 : verdict));

  test("verdicts of independent samples are compared with McNemar's test, and changes are counted", () => {
    const comparison = comparePairs(baseline, candidate, { range: [0, 1] });
    const rises = candidate.filter((verdict, i) => verdict > (baseline[i] ?? 0)).length;
    expect(comparison).toMatchObject({ n: 200, clusters: null, test: "mcnemar_exact", rises, falls: 0 });
    expect(comparison?.p).toBe(mcnemarExact(rises, 0));
    expect(comparison?.interval?.method).toBe("bca_bootstrap");
    expectClose(comparison?.difference ?? null, rises / 200, 1e-12);
  });

  test("verdicts of samples that share groups are resampled by group, with wider intervals", () => {
    const groups = times(200, (i) => `document ${Math.floor(i / 4)}`);
    const together = times(200, (i) => Number((baseline[i] ?? 0) === 1 || i % 16 < 4));
    const comparison = comparePairs(baseline, together, { groups });
    expect(comparison).toMatchObject({ clusters: 50, test: "paired_cluster_bootstrap" });
    expect(comparison?.interval?.method).toBe("cluster_bootstrap");
    expect(comparison?.p ?? 0).toBeGreaterThan(comparePairs(baseline, together)?.p ?? 1);
  });

  test("scores are compared with a paired bootstrap, or with Student's t for few samples or groups", () => {
    const scores = times(30, () => uniform(random));
    const higher = scores.map((score) => score + 0.1 + 0.1 * normal(random));
    expect(comparePairs(scores, higher)).toMatchObject({ test: "paired_bootstrap", rises: expect.any(Number) });
    expect(comparePairs(scores, higher)?.p).toBeLessThan(0.01);
    expect(
      comparePairs(
        times(30, (i) => i % 2),
        scores,
      )?.test,
    ).toBe("paired_bootstrap");
    const differences = higher.map((score, i) => score - (scores[i] ?? 0));
    const standardError = Math.sqrt(variance(differences) / 30);
    expectClose(comparePairs(scores, higher)?.detectableDifference ?? null, detectableDifference(standardError));
    const few = comparePairs([0.5, 0.6], [0.6, 0.8]);
    expect(few).toMatchObject({ test: "paired_t", interval: { method: "student_t" } });
    expectClose(few?.p ?? null, 0.20483276469913364); // scipy.stats.ttest_rel
    const fewGroups = comparePairs(scores, higher, { groups: times(30, (i) => `${i % 5}`) });
    expect(fewGroups).toMatchObject({ test: "paired_t", interval: { method: "cluster_robust" } });
  });

  test("if all differences are equal, only their signs are tested", () => {
    const up = [0.2, 0.4, 0.3, 0.5, 0.6, 0.1, 0.2];
    const shifted = up.map((value) => value + 0.1);
    expect(comparePairs(up, shifted)).toMatchObject({
      test: "mcnemar_exact",
      interval: null,
      detectableDifference: null,
    });
    expectClose(comparePairs(up, shifted)?.p ?? null, 2 ** -6);
    expect(comparePairs(up, shifted, { groups: up.map(() => "one") })?.p).toBeCloseTo(1, 12);
    const same = comparePairs(baseline, baseline, { range: [0, 1] });
    expect(same).toMatchObject({ difference: 0, p: 1, rises: 0, falls: 0, interval: { method: "wilson" } });
    const unseen = wilsonInterval(0, 200)?.high ?? 0;
    expect(same?.interval?.low).toBeCloseTo(-unseen, 12);
    expect(same?.interval?.high).toBeCloseTo(unseen, 12);
  });

  test("one pair has no test, no pairs return null, and unequal lengths are rejected", () => {
    expect(comparePairs([0.2], [0.9])).toMatchObject({ n: 1, interval: null });
    expect(comparePairs([0.2], [0.9])?.p).toBeCloseTo(1, 12);
    expect(comparePairs([], [])).toBeNull();
    expect(() => comparePairs([1], [1, 2])).toThrow("1 values can't be paired with 2");
    expect(() => comparePairs([1, 2], [Number.NaN, 2])).toThrow("Value 0 is NaN");
  });

  test("exchanging the runs only changes the signs", () => {
    const [forth, back] = [comparePairs(baseline, candidate), comparePairs(candidate, baseline)];
    expect(back).toMatchObject({ p: forth?.p, falls: forth?.rises, rises: forth?.falls });
    expect(back?.difference).toBe(-(forth?.difference ?? 0));
  });
});

test("the smallest detectable difference has a test statistic of z(level) + z(power)", () => {
  expectClose(detectableDifference(0.02), 0.02 * (1.959963984540054 + 0.8416212335729143));
});

test("Holm keeps the order and never lowers a p value", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (p) => {
      const adjusted = holmAdjust(p);
      const isRaised = adjusted.every((value, i) => value >= (p[i] ?? 0) && value <= 1);
      const order = p.map((_, i) => i).sort((i, j) => (p[i] ?? 0) - (p[j] ?? 0));
      const isAscending = order.every((i, place) => (adjusted[i] ?? 0) >= (adjusted[order[place - 1] ?? i] ?? 0));
      expect([isRaised, isAscending]).toEqual([true, true]);
    }),
  );
});
