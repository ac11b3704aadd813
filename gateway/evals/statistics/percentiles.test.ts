import { expect, test } from "bun:test";
import { reference } from "../../../tests/fixtures/statistics/reference";
import { expectClose } from "../../../tests/statistics/expect-close";
import { percentileBounds, percentileInterval, percentiles } from "./percentiles";

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
