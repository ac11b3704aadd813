import { expect, test } from "bun:test";
import { Lengths } from "./report";

const summary = (values: Iterable<number>) => {
  const lengths = new Lengths();
  for (const value of values) lengths.add(value);
  return lengths.summary();
};

test("percentiles are exact, by nearest rank, in whatever order lengths are added", () => {
  const upTo = (count: number) => Array.from({ length: count }, (_, i) => ((i * 7919) % count) + 1);
  expect(summary(upTo(10_000))).toEqual({ min: 1, p50: 5000, p95: 9500, max: 10_000 });
  expect(summary([3])).toEqual({ min: 3, p50: 3, p95: 3, max: 3 });
  expect(summary([5, 1])).toEqual({ min: 1, p50: 1, p95: 5, max: 5 });
});

test("no summary is returned without lengths", () => {
  expect(summary([])).toBeUndefined();
});
