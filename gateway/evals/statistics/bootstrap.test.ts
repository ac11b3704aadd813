import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { reference } from "../../../tests/fixtures/statistics/reference";
import { expectClose } from "../../../tests/statistics/expect-close";
import { normal, times } from "../../../tests/statistics/simulate";
import { bcaInterval, bcaPValue, bcaQuantile, bootstrap, type Distribution, sumDrawn } from "./bootstrap";
import { normalQuantile } from "./distributions";
import { createRandom } from "./random";

type Compute = (drawn: Int32Array) => number | null;

const meanOf = (values: readonly number[]) => {
  const units = Float64Array.from(values);
  return (drawn: Int32Array) => sumDrawn(units, drawn) / drawn.length;
};

const deviationOf = (values: readonly number[]): Compute => {
  const mean = meanOf(values);
  const meanSquare = meanOf(values.map((value) => value ** 2));
  return (drawn) => Math.sqrt(meanSquare(drawn) - mean(drawn) ** 2);
};

const distributionOf = (units: number, compute: Compute, seed = 1, resamples = 10_000): Distribution =>
  bootstrap(units, (drawn) => [compute(drawn)], { resamples, seed })[0];

const INDEPENDENT = { areShared: false };

describe("equal to scipy's BCa", () => {
  const z = normalQuantile(0.975);
  test.each(reference.bca)("case %#", ({ values, statistic, acceleration, low, high }) => {
    const compute = statistic === "mean" ? meanOf(values) : deviationOf(values);
    const distribution = distributionOf(values.length, compute);
    const estimate = distribution.estimate ?? Number.NaN;
    expectClose(distribution.acceleration, acceleration, 1e-7);
    // Both are random. The tolerance is five times the spread between seeds of scipy.
    expect(Math.abs(bcaQuantile(distribution, estimate, -z) - low.mean)).toBeLessThan(5 * low.deviation);
    expect(Math.abs(bcaQuantile(distribution, estimate, z) - high.mean)).toBeLessThan(5 * high.deviation);
  });
});

test("the same seed gives the same distribution, and a different seed a different one", () => {
  const values = times(50, (i) => (i * 7919) % 101);
  const [first, again, other] = [1, 1, 2].map((seed) => distributionOf(50, meanOf(values), seed).replicates);
  expect(again).toEqual(first);
  expect(other).not.toEqual(first);
});

test("a resample has as many units as the original, all drawn from it", () => {
  bootstrap(
    7,
    (drawn) => {
      expect(drawn.every((unit) => unit >= 0 && unit < 7)).toBe(true);
      expect([6, 7]).toContain(drawn.length); // 6 when the jackknife leaves one out
      return [0];
    },
    { resamples: 200 },
  );
});

test("the acceleration of many units equals that of leaving out each unit, in any order", () => {
  const random = createRandom(3);
  const values = times(5000, () => Math.exp(normal(random))).sort((a, b) => a - b);
  const centre = values.reduce((a, b) => a + b) / values.length;
  const [squares, cubes] = [2, 3].map((power) => values.reduce((sum, value) => sum + (value - centre) ** power, 0));
  const exact = Number(cubes) / (6 * Number(squares) ** 1.5);
  const { acceleration } = distributionOf(5000, meanOf(values), 1, 10);
  expect(Math.abs(acceleration - exact)).toBeLessThan(0.15 * exact);
});

test("an interval contains the estimate, and p is below 0.05 exactly if it excludes the hypothesis", () => {
  const scores = fc.array(fc.integer({ min: -30, max: 30 }), { minLength: 20, maxLength: 60 });
  fc.assert(
    fc.property(scores, fc.integer(), (values, seed) => {
      const distribution = distributionOf(values.length, meanOf(values), seed >>> 0, 2000);
      const interval = bcaInterval(distribution, INDEPENDENT);
      const p = bcaPValue(distribution);
      if (!interval) {
        expect(p).toBe(1);
        return;
      }
      const estimate = distribution.estimate ?? Number.NaN;
      expect(interval.low).toBeLessThanOrEqual(estimate);
      expect(interval.high).toBeGreaterThanOrEqual(estimate);
      // At the edge, a single resample decides.
      if (p < 0.048) expect(interval.low > 0 || interval.high < 0).toBe(true);
      if (p > 0.052) expect(interval.low <= 0 && interval.high >= 0).toBe(true);
    }),
    { numRuns: 200 },
  );
});

test("one unit, equal units, and a figure that is undefined in resamples have no interval", () => {
  const undefinedAtTimes = distributionOf(10, (drawn) =>
    drawn.includes(0) && drawn.includes(1) ? (drawn[0] ?? 0) : null,
  );
  expect(undefinedAtTimes.undefinedShare).toBeGreaterThan(0.3);
  const silent = [distributionOf(1, meanOf([0.4])), distributionOf(5, meanOf([2, 2, 2, 2, 2])), undefinedAtTimes];
  for (const distribution of silent) {
    expect(bcaInterval(distribution, INDEPENDENT)).toBeNull();
    expect(bcaPValue(distribution)).toBe(1);
  }
  expect(
    bcaInterval(
      distributionOf(0, () => null),
      INDEPENDENT,
    ),
  ).toBeNull();
});

test("p is not smaller than the number of resamples allows", () => {
  const distribution = distributionOf(200, meanOf(times(200, (i) => 10 + (i % 3))), 1, 999);
  expect(bcaPValue(distribution)).toBeGreaterThanOrEqual(1 / 1000);
  expect(bcaPValue(distribution)).toBeLessThan(2 / 1000);
});
