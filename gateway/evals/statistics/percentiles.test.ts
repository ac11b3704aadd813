import { expect, test } from "bun:test";
import { reference } from "../../../tests/fixtures/statistics/reference";
import { expectClose } from "../../../tests/statistics/expect-close";
import { percentileBounds, percentileInterval, percentiles, valuesToDecide } from "./percentiles";

test("percentiles are equal to numpy's, and their exact intervals to scipy's", () => {
  for (const { values, share, value, level, low, high } of reference.quantiles) {
    expectClose(percentiles(values, [share])[0] ?? null, value);
    const bounds = percentileBounds(
      values.toSorted((a, b) => a - b),
      share,
      level,
    );
    expect([bounds.low ?? null, bounds.high ?? null]).toEqual([low, high]);
  }
});

test("a 95th percentile has no upper bound below 72 values, and no values have no bounds", () => {
  const sorted = (n: number) => Array.from({ length: n }, (_, i) => i);
  expect(percentileInterval(sorted(71), 0.95)).toBeNull();
  expect(percentileInterval(sorted(72), 0.95)).toMatchObject({ high: 71, method: "order_statistics" });
  expect(percentileBounds([], 0.5)).toEqual({ low: undefined, high: undefined });
});

test("the number of values needed is the smallest for which the interval excludes the bound", () => {
  expect(valuesToDecide(5, 1, 0.95)).toBeGreaterThanOrEqual(72);
  expect(valuesToDecide(5, 1, 0.95)).toBeLessThan(76);
  expect(valuesToDecide(100, 0.95, 0.95)).toBeNull();
  for (const [within, share] of [
    [0.99, 0.95],
    [0.9, 0.95],
    [0.4, 0.5],
  ] as const) {
    const n = valuesToDecide(10, within, share) ?? 0;
    const bound = Math.floor(within * n);
    // The values 1, 2, …: `within` of them are at or below the bound.
    const { low = 0, high = Number.POSITIVE_INFINITY } = percentileBounds(
      Array.from({ length: n }, (_, i) => i + 1),
      share,
    );
    expect(high <= bound || low > bound).toBe(true);
  }
});
