import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { times, uniform } from "../../../tests/statistics/simulate";
import { estimateMean } from "./estimate";
import { createRandom } from "./random";

const RATE = { range: [0, 1] } as const;
const random = createRandom(4);
const scores = times(6000, () => uniform(random));
const verdicts = scores.map((score) => Number(score > 0.3));
const pairs = scores.map((_, i) => `pair ${Math.floor(i / 2)}`);

describe("the method depends on the values, and is named", () => {
  test.each([
    ["wilson", verdicts.slice(0, 40), RATE],
    ["student_t", scores.slice(0, 19), RATE],
    ["bca_bootstrap", scores.slice(0, 20), RATE],
    ["bca_bootstrap", verdicts.slice(0, 40), {}],
    ["student_t", scores.slice(0, 5001), RATE],
    ["cluster_robust", scores.slice(0, 40), { ...RATE, groups: pairs.slice(0, 40) }],
    ["cluster_robust", verdicts.slice(0, 40), { ...RATE, groups: pairs.slice(0, 40) }],
    ["wilson", verdicts.slice(0, 40), { ...RATE, groups: times(40, (i) => (i % 2 ? null : `${i}`)) }],
  ] as const)("%s", (method, values, options) => {
    const { value, interval } = estimateMean(values, options);
    expect(interval?.method).toBe(method);
    expect(value ?? 2).toBeGreaterThan(interval?.low ?? 2);
    expect(value ?? -1).toBeLessThan(interval?.high ?? -1);
  });
});

describe("with few values", () => {
  test("no values have no mean and no interval", () => {
    expect(estimateMean([], RATE)).toEqual({ n: 0, clusters: null, value: null, interval: null });
    expect(estimateMean([], { groups: [] })).toEqual({ n: 0, clusters: null, value: null, interval: null });
  });

  test("one value has Wilson's widest bound if the range is known, otherwise no interval", () => {
    const { interval } = estimateMean([1], RATE);
    expect([interval?.method, interval?.high]).toEqual(["wilson", 1]);
    expect(interval?.low).toBeCloseTo(0.207, 3);
    expect(estimateMean([0.7])).toEqual({ n: 1, clusters: null, value: 0.7, interval: null });
  });

  test("two values have the t interval with one degree of freedom, within the range", () => {
    expect(estimateMean([0.2, 0.4]).interval?.low).toBeCloseTo(0.3 - 0.1 * 12.7062, 4);
    expect(estimateMean([0.2, 0.4], RATE).interval).toMatchObject({ low: 0, high: 1, method: "student_t" });
  });

  test("equal values still have Wilson's interval, with groups as units if they share groups", () => {
    const all = estimateMean(
      times(50, () => 1),
      RATE,
    );
    expect(all.interval?.low).toBeCloseTo(0.9287, 4);
    const grouped = estimateMean(
      times(50, () => 1),
      { ...RATE, groups: times(50, (i) => `${i % 10}`) },
    );
    expect(grouped).toMatchObject({ n: 50, clusters: 10, interval: { method: "wilson", high: 1 } });
    expect(grouped.interval?.low).toBe(
      estimateMean(
        times(10, () => 1),
        RATE,
      ).interval?.low ?? 0,
    );
    expect(estimateMean([0.1 + 0.2, 0.3, 0.3]).interval).toBeNull();
  });

  test("one group, or equal groups, have a mean without an interval", () => {
    const one = estimateMean([0, 1, 1], { ...RATE, groups: ["a", "a", "a"] });
    expect(one).toEqual({ n: 3, clusters: 1, value: 2 / 3, interval: null });
    expect(estimateMean([0.2, 0.4, 0.4, 0.2], { groups: ["a", "a", "b", "b"] }).interval).toBeNull();
  });

  test("missing values are rejected", () => {
    expect(() => estimateMean([1, Number.NaN])).toThrow("Value 1 is NaN");
    expect(() => estimateMean([1, 0], { groups: ["a"] })).toThrow("2 values but 1 groups");
  });
});

test("for any values and groups, the interval contains the mean, stays in the range and is never NaN", () => {
  const value = fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true }));
  const item = fc.tuple(value, fc.option(fc.constantFrom("a", "b", "c", "d")));
  fc.assert(
    fc.property(fc.array(item, { maxLength: 40 }), (items) => {
      const values = items.map(([score]) => score);
      const { interval, value: mean, n } = estimateMean(values, { ...RATE, groups: items.map(([, group]) => group) });
      expect(n).toBe(items.length);
      if (!interval || mean === null) return;
      expect(interval.low).toBeGreaterThanOrEqual(0);
      expect(interval.high).toBeLessThanOrEqual(1);
      expect(interval.low).toBeLessThanOrEqual(mean + 1e-12);
      expect(interval.high).toBeGreaterThanOrEqual(mean - 1e-12);
    }),
  );
});

test("the same seed gives the same interval", () => {
  const values = scores.slice(0, 100);
  expect(estimateMean(values, { seed: 9 })).toEqual(estimateMean(values, { seed: 9 }));
  expect(estimateMean(values, { seed: 9 })).not.toEqual(estimateMean(values, { seed: 10 }));
});
