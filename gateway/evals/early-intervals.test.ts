import { expect, test } from "bun:test";
import type { RunRow } from "../../db/runs";
import type { RunFigures } from "./contract";
import { toRun } from "./wire";

const rate = { value: 0.8, interval: { low: 0.6, high: 0.92, level: 0.95, method: "wilson" } };
const estimates = { pass_rate: rate, interval: rate.interval, detectable_difference: 0.1 };
const segments = [{ name: "t", pass_rate: rate }];

const runWith = (done: number) => {
  const figures = {
    progress: { total: 200, done },
    verdict: estimates,
    statistics: [{ ...estimates, mean: 0.7 }],
    segments,
  };
  const { verdict, statistics, segments: tags } = toRun({} as RunRow, figures as never as RunFigures, false);
  return [verdict, statistics, tags] as unknown[];
};

test("a run without missing results keeps its intervals", () => {
  expect(runWith(200)).toEqual([estimates, [{ ...estimates, mean: 0.7 }], segments]);
});

test("no figure of a run with missing results has an interval, in the API, on pages and in reports", () => {
  const withoutIntervals = { pass_rate: { value: 0.8, interval: null }, detectable_difference: null };
  expect(runWith(50)).toEqual([
    { ...estimates, ...withoutIntervals },
    [{ ...withoutIntervals, interval: null, mean: 0.7 }],
    [{ name: "t", pass_rate: { value: 0.8, interval: null } }],
  ]);
});
