import { expect, test } from "bun:test";
import fc from "fast-check";
import { LogHistogram } from "./histogram";

const histogramOf = (values: number[]): LogHistogram => {
  const histogram = new LogHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
};

const exact = (values: number[], q: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1] ?? Number.NaN;
};

/** The tolerance: 4.8 % of the exact value, or 0.01 below the first bucket. */
const expectClose = (estimate: number | undefined, value: number): void => {
  expect(Math.abs((estimate ?? Number.NaN) - value)).toBeLessThanOrEqual(Math.max(0.0101, value * 0.048));
};

const milliseconds = fc.oneof(
  fc.double({ min: 0, max: 1e8, noNaN: true }),
  fc.double({ min: 0, max: 10, noNaN: true }),
  // Spread evenly over the orders of magnitude.
  fc.double({ min: -3, max: 8, noNaN: true }).map((exponent) => 10 ** exponent),
);
const quantile = fc.constantFrom(0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1);

test("every quantile is within 4.8 % of the exact one", () => {
  fc.assert(
    fc.property(fc.array(milliseconds, { minLength: 1, maxLength: 300 }), quantile, (values, q) => {
      const histogram = histogramOf(values);
      expect(histogram.count).toBe(values.length);
      expectClose(histogram.quantile(q), exact(values, q));
    }),
    { numRuns: 500 },
  );
});

test("merging two histograms gives the histogram of all values", () => {
  fc.assert(
    fc.property(fc.array(milliseconds), fc.array(milliseconds, { minLength: 1 }), quantile, (a, b, q) => {
      const merged = histogramOf(a);
      merged.merge(histogramOf(b));
      expect(merged.count).toBe(a.length + b.length);
      expect(merged.quantile(q)).toBe(histogramOf([...a, ...b]).quantile(q));
    }),
  );
});

test("an empty histogram has no quantile", () => {
  expect(new LogHistogram().quantile(0.5)).toBeUndefined();
});

test("a value above a day counts as a day", () => {
  expect(histogramOf([1e12]).quantile(1)).toBeGreaterThan(9e7);
});
