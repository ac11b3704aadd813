import { expect, test } from "bun:test";
import { reportMarkdown, reportText } from "./report";
import type { EvalReport } from "./run";

/** A report on 30 results with 3 errors, and 12 that passed. */
const report = (listed: number): EvalReport => {
  const pins = { target: { kind: "stored" }, repeats: 1, dataset: { revision: 1 } };
  const progress = { done: 30, errors: 3, judged: 27 };
  const usage = { total_tokens: 0, completion_tokens: 0 };
  const run = { id: "run_1", pins, progress, usage, passed: 12 / 27, verdict: null, statistics: [], latency: null };
  const failure = { sample_key: "k", failure: "wrong", input: "Why?", output: { text: "Because." }, error: null };
  const dataset = { name: "questions" };
  const failures = Array(listed).fill(failure);
  return { dataset, run, failures, gate: null, comparison: null } as unknown as EvalReport;
};

test("the address of the run is its page", () => {
  expect(reportText(report(0), "http://server")).toMatch(/ http:\/\/server\/batch-evals\/run_1$/m);
});

test("the failures have their number, or how many of them are listed", () => {
  expect(reportText(report(10), undefined)).toMatch(/^Failures: worst 10 of 18$/m);
  expect(reportText(report(18), undefined)).toMatch(/^Failures: 18$/m);
  expect(reportText(report(0), undefined)).not.toContain("Failures");
  expect(reportMarkdown(report(10))).toContain("<summary>Failures, errors first: worst 10 of 18</summary>");
});
