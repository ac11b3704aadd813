import { describe, expect, test } from "bun:test";
import type { Run } from "../../gateway/evals/contract";
import { passRateOf } from "../evals/words";
import { targetName, verdictSentence } from "./words";

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

test("an index is named, and an old run's index has its id", () => {
  const target = { kind: "rag", model: "m", index: "idx_1" };
  expect(targetName({ pins: { target, index_name: "handbook" } } as never)).toBe("m, documents of handbook");
  expect(targetName({ pins: { target } } as never)).toBe("m, documents of idx_1");
});
