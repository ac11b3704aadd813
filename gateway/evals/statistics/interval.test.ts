import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { reference } from "../../../tests/fixtures/statistics/reference";
import { expectClose } from "../../../tests/statistics/expect-close";
import { times } from "../../../tests/statistics/simulate";
import {
  type Clusters,
  clusterRobustError,
  clusterRobustInterval,
  clusterRobustRateInterval,
  clustersOf,
  designEffect,
  limitClusters,
  sumByCluster,
} from "./clusters";
import { studentInterval, unvaryingInterval, wilsonInterval } from "./interval";

describe("equal to statsmodels and scipy", () => {
  test("Wilson's interval", () => {
    for (const { successes, n, level, low, high } of reference.wilson) {
      const interval = wilsonInterval(successes, n, level);
      expectClose(interval?.low ?? null, low);
      expectClose(interval?.high ?? null, high);
    }
  });

  test("Student's interval", () => {
    for (const { values, level, low, high } of reference.studentInterval) {
      const interval = studentInterval(values, level);
      expectClose(interval?.low ?? null, low);
      expectClose(interval?.high ?? null, high);
    }
  });

  test("the cluster-robust error and interval of a regression on a constant", () => {
    for (const { groups, values, level, error, low, high } of reference.clusterRobust) {
      const clusters = clustersOf(groups.map(String));
      const interval = clusterRobustInterval(values, clusters, level);
      expectClose(clusterRobustError(values, clusters), error);
      expectClose(interval?.low ?? null, low);
      expectClose(interval?.high ?? null, high);
    }
  });
});

test("Wilson's interval is within 0 and 1, contains the rate, and mirrors the interval of the failures", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, share) => {
      const successes = Math.round(share * n);
      const { low = -1, high = -1 } = wilsonInterval(successes, n) ?? {};
      expect(low).toBeGreaterThanOrEqual(0);
      expect(high).toBeLessThanOrEqual(1);
      expect(low).toBeLessThanOrEqual(successes / n);
      expect(high).toBeGreaterThanOrEqual(successes / n);
      const mirrored = wilsonInterval(n - successes, n);
      expect(mirrored?.low).toBeCloseTo(1 - high, 12);
    }),
  );
});

test("equal values have Wilson's bound on the proportion of other values", () => {
  expect(unvaryingInterval(1, 50, [0, 1])?.low).toBe(1 - (wilsonInterval(0, 50)?.high ?? 0));
  expect(unvaryingInterval(1, 50, [0, 1])?.high).toBe(1);
  const { low = 0, high = 0 } = unvaryingInterval(0, 50, [-1, 1]) ?? {};
  expect(high).toBeCloseTo(-low, 12);
});

test("no samples, one value or one cluster have no interval", () => {
  expect(wilsonInterval(0, 0)).toBeNull();
  expect(studentInterval([0.5])).toBeNull();
  expect(unvaryingInterval(1, 0, [0, 1])).toBeNull();
  const one: Clusters = clustersOf(["a", "a", "a"]);
  expect(clusterRobustError([0, 1, 1], one)).toBeNull();
  expect(clusterRobustInterval([0, 1, 1], one)).toBeNull();
  expect(clusterRobustRateInterval([0, 1, 1], one)).toBeNull();
  expect(designEffect([0, 1, 1], one)).toBeNull();
});

test("a value without a group is a separate cluster, whatever the names of groups", () => {
  expect([...clustersOf(["b", null, "b", null, "null"]).of]).toEqual([0, 1, 0, 2, 3]);
  expect(clustersOf(["a", null, "b", null])).toMatchObject({ count: 4, areShared: false });
  expect(clustersOf(["a", null, "a"])).toMatchObject({ count: 2, areShared: true });
});

test("limiting clusters never splits or loses one", () => {
  const clusters: Clusters = { count: 12_000, areShared: true, of: Int32Array.from(times(24_000, (i) => i >> 1)) };
  const merged = limitClusters(clusters);
  expect(merged.count).toBe(5000);
  expect(times(12_000, (i) => merged.of[2 * i] === merged.of[2 * i + 1]).every(Boolean)).toBe(true);
  expect(
    Math.max(
      ...sumByCluster(
        times(24_000, () => 1),
        merged,
      ),
    ),
  ).toBe(6);
});

test("the design effect is 1 for independent verdicts, n for n copies, and below 1 for means of repeats", () => {
  const verdicts = times(400, (i) => Number(i % 4 > 0));
  expect(designEffect(verdicts, clustersOf(verdicts.map(() => null)))).toBeCloseTo(400 / 399, 10);
  const copies = verdicts.flatMap((verdict) => times(5, () => verdict));
  const groups = copies.map((_, i) => String(Math.floor(i / 5)));
  expect(designEffect(copies, clustersOf(groups))).toBeCloseTo((5 * 400) / 399, 10);
  const means = times(400, (i) => (i % 2 ? 0.7 : 0.8));
  expect(designEffect(means, clustersOf(means.map(() => null)))).toBeLessThan(0.02);
});
