import { describe, expect, test } from "bun:test";
import type { Run } from "../../gateway/evals/contract";
import { passRateOf } from "../evals/words";
import { adviceFor, errorSentence, progressText, targetName, verdictSentence } from "./words";

const run = (state: Run["state"], done: number, fields: object = {}): Run => {
  const interval = { low: 0.6, high: 0.92, level: 0.95, method: "wilson" };
  const verdict = { pass_rate: { value: 0.81, interval } };
  return { state, passed: 0.8, progress: { total: 200, done, judged: done, errors: 0 }, verdict, ...fields } as never;
};

describe("the pass rate", () => {
  test("of a completed run has its interval", () => {
    expect(passRateOf(run("completed", 200))?.value).toBe(0.81);
    expect(verdictSentence(run("completed", 200))).toBe(
      "160 of 200 answers passed. The true pass rate is between 60 % and 92 % (95 % confidence).",
    );
  });

  // The first samples of a dataset are often of one kind, so their rate says little about the others.
  test.each([
    ["running", "So far, 40 of 50 answers passed. Samples run in the dataset’s order, so the rate may change."],
    [
      "paused",
      "40 of 50 answers passed. 150 results of the dataset’s last samples are missing, so the rate of all may differ.",
    ],
    [
      "cancelled",
      "40 of 50 answers passed. 150 results of the dataset’s last samples are missing, so the rate of all may differ.",
    ],
  ] as const)("of a %s run with missing results has none, and equals the counts", (state, sentence) => {
    const partial = run(state, 50);
    expect([passRateOf(partial), verdictSentence(partial)]).toEqual([{ value: 0.8, interval: null }, sentence]);
  });
});

describe("the errors of a run", () => {
  const failed = (errors: number, failures: object, state: Run["state"] = "completed") =>
    run(state, 200, { failures, progress: { total: 200, done: 200, judged: 200 - errors, errors } });

  test.each([
    [failed(0, {}), undefined, undefined],
    [failed(1, { timeout: 1 }), "1 result is an error and is not counted.", undefined],
    [failed(0, { judge_error: 2 }), "2 answers could not be scored and are not counted.", undefined],
    [
      failed(3, { timeout: 2, invalid_sample: 1, judge_error: 1 }),
      "3 results are errors, and 1 answer could not be scored. They are not counted.",
      "Running 1 result again can’t help, because its sample can’t be evaluated. Correct it in the dataset and start a new run.",
    ],
    [failed(2, { invalid_sample: 2 }, "running"), "2 results are errors and are not counted.", undefined],
  ])("are counted, with what can help: %#", (own, sentence, advice) => {
    expect([errorSentence(own), adviceFor(own)]).toEqual([sentence, advice]);
  });
});

test("a run that waits shows neither a speed nor a remaining time", () => {
  const progress = { total: 200, done: 50, judged: 50, errors: 0, samples_per_second: 3, eta_seconds: 50 };
  expect(progressText(run("running", 50, { progress }))).toBe("50 of 200 results · 3.0 per second · about 50 s left");
  const waiting = { code: "unavailable", message: "Every node is down.", since: "2026-11-30T10:15:00.000Z" };
  const stopped = { ...progress, eta_seconds: null };
  expect(progressText(run("running", 50, { waiting, progress: stopped }))).toBe("50 of 200 results · waiting");
});

test("an index is named, and an old run's index has its id", () => {
  const target = { kind: "rag", model: "m", index: "idx_1" };
  expect(targetName({ pins: { target, index_name: "handbook" } } as never)).toBe("m, documents of handbook");
  expect(targetName({ pins: { target } } as never)).toBe("m, documents of idx_1");
});
