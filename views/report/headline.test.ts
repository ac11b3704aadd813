import { expect, test } from "bun:test";
import type { Run } from "../../gateway/evals/contract";
import { Headline } from "./headline";

const headline = (done: number): string => {
  const interval = { low: 0.6, high: 0.92, level: 0.95, method: "wilson" };
  const verdict = { pass_rate: { value: 0.81, interval }, bounds: null, clusters: null, n: 200 };
  const progress = { total: 200, done, judged: done, errors: 0 };
  const run = { state: "cancelled", passed: 0.8, progress, verdict, pins: { repeats: 1 } } as unknown as Run;
  return String(Headline({ run })).replace(/<[^>]*>/g, "");
};

test("the pass rate of a complete run has its interval", () => {
  expect(headline(200)).toBe("81 % of 200 samples pass95 % interval: 60 % to 92 %, Wilson.");
});

// The first samples of a dataset are often of one kind, so their rate says little about the others.
test("the pass rate of a run with missing results has none, and says why", () => {
  const missing = (text: string) =>
    `80 % of ${text} missing, so the rate of all may differ. It has no interval for this reason.`;
  expect(headline(50)).toBe(missing("50 results pass150 results of the dataset’s last samples are"));
  expect(headline(199)).toBe(missing("199 results pass1 result of the dataset’s last samples is"));
});
