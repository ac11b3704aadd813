import { afterEach, beforeEach, expect, test } from "bun:test";
import { listRepeats } from "../../db/batch-results";
import type { Db } from "../../db/client";
import { insertResult, insertScores } from "../../db/results";
import { insertRun } from "../../db/runs";
import { insertSamples } from "../../db/samples";
import { problemOf, temporaryDb } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import { seedRun } from "../../tests/seeded-run";
import type { Criterion } from "../evals/contract";
import { readResult } from "../evals/history";
import { criteriaOf } from "../evals/rubric";
import { createLabels, type LabelService } from "./service";

let db: Db;
let labels: LabelService;
const AT = new Date("2026-11-26T12:00:00Z");
const unsealed = async () => {};

/** A run with results that have a correctness score. */
const addRun = async (id: string, results: string[], changes: Partial<Criterion> = {}): Promise<void> => {
  const [correctness] = criteriaOf({ criteria: ["correctness"] });
  const criterion = { ...correctness, ...changes };
  await db.write(async (tx) => {
    const content = {
      input: "Who?",
      references: ["Ada"],
      contexts: [],
      output: null,
      group: null,
      tags: [],
      metadata: {},
    };
    await insertSamples(tx, [{ id: "sample_1", hash: "h", ...content }]);
    await insertRun(tx, { id, kind: "batch", name: id, state: "completed", pins: {}, createdBy: "key", createdAt: AT });
    for (const result of results) {
      const row = {
        id: result,
        runId: id,
        sampleId: "sample_1",
        sampleKey: result,
        state: "done" as const,
        createdAt: AT,
      };
      await insertResult(tx, row);
      const score = {
        metric: "correctness",
        criterion,
        criterionHash: JSON.stringify(criterion),
        evaluator: "reference@1",
        evaluatorHash: "e",
        state: "scored" as const,
      };
      await insertScores(tx, [
        { ...score, resultId: result, value: 1, passed: true, claims: [], votes: [], shadow: false, scoredAt: AT },
      ]);
    }
  });
};

beforeEach(async () => {
  db = await temporaryDb();
  let tick = 0;
  labels = createLabels({ db, now: () => new Date(AT.getTime() + 1000 * tick++) });
  await addRun("run_1", ["res_1", "res_2"]);
});
afterEach(() => db.close());

test("each person has one label per criterion; a change replaces it and keeps it in the history", async () => {
  const other = { ...PRINCIPAL, keyId: "key_other" };
  await labels.add(PRINCIPAL, "res_1", { metric: "correctness", value: 1, comment: "Right." }, unsealed);
  await labels.add(other, "res_1", { metric: "correctness", value: 1 }, unsealed);
  await labels.add(PRINCIPAL, "res_1", { metric: "correctness", value: 0, failure: "wrong" }, unsealed);
  const { data } = await labels.list(PRINCIPAL, "res_1", {});
  expect(
    data.map(({ labelled_by, value, failure, comment, replaced_at }) => [
      labelled_by,
      value,
      failure,
      comment,
      replaced_at !== null,
    ]),
  ).toEqual([
    ["key_test", 1, null, "Right.", true],
    ["key_other", 1, null, null, false],
    ["key_test", 0, "wrong", null, false],
  ]);
});

test.each([
  ["a criterion that the result was not scored on", { metric: "faithfulness", value: 1 }, "metric"],
  ["an unknown criterion", { metric: "politeness", value: 1 }, "metric"],
  ["a value off the scale", { metric: "correctness", value: 2 }, "value"],
  ["a failure kind for a passing value", { metric: "correctness", value: 1, failure: "wrong" as const }, "failure"],
])("%s is rejected, naming the field", async (_, label, param) => {
  const error = await problemOf(labels.add(PRINCIPAL, "res_1", label, unsealed));
  expect([error.kind, error.detail.param]).toEqual(["invalid_request", param]);
});

test("a label on a scale with steps must be one of the steps", async () => {
  await addRun("run_steps", ["res_steps"], { scale: { min: 0, max: 1, step: 0.3 } });
  const add = (value: number) => labels.add(PRINCIPAL, "res_steps", { metric: "correctness", value }, unsealed);
  expect((await add(3 * 0.3)).value).toBe(0.9);
  const refused = await problemOf(add(0.5));
  expect([refused.detail.param, refused.message]).toEqual([
    "value",
    "value must be on the scale of correctness: 0, 0.3, 0.6, 0.9.",
  ]);
});

test("only a person's first label for a criterion can be blind", async () => {
  const add = (principal = PRINCIPAL, metric = "correctness") =>
    labels.add(principal, "res_1", { metric, value: 1, blind: true }, unsealed);
  expect((await add()).blind).toBe(true);
  // After labelling, the person may have seen the scores.
  expect((await add()).blind).toBe(false);
  expect((await add({ ...PRINCIPAL, keyId: "key_other" })).blind).toBe(true);
});

test("a key without content logging may label, but not comment", async () => {
  const unlogged = { ...PRINCIPAL, contentLogging: false };
  const label = { metric: "correctness", value: 1 };
  const refused = problemOf(labels.add(unlogged, "res_1", { ...label, comment: "Ada said so." }, unsealed));
  expect((await refused).kind).toBe("insufficient_role");
  expect((await labels.list(PRINCIPAL, "res_1", {})).data).toEqual([]);
  expect((await labels.add(unlogged, "res_1", { ...label, comment: "" }, unsealed)).comment).toBeNull();
});

test("an unknown result is a not_found error", async () => {
  const adding = labels.add(PRINCIPAL, "res_9", { metric: "correctness", value: 1 }, unsealed);
  expect((await problemOf(adding)).kind).toBe("not_found");
  expect((await problemOf(labels.list(PRINCIPAL, "res_9", {}))).kind).toBe("not_found");
});

test("the queue lists the results the caller hasn't labelled, newest first, for all runs or one, and can skip", async () => {
  await addRun("run_2", ["res_3"]);
  const queue = (query = {}) => labels.queue(PRINCIPAL, { metric: "correctness", limit: 10, ...query });
  expect(await queue()).toEqual(["res_3", "res_2", "res_1"]);
  expect(await queue({ runId: "run_1" })).toEqual(["res_2", "res_1"]);
  expect(await queue({ before: "res_3" })).toEqual(["res_2", "res_1"]);
  await labels.add(PRINCIPAL, "res_2", { metric: "correctness", value: 1 }, unsealed);
  expect(await queue()).toEqual(["res_3", "res_1"]);
  expect(await queue({ metric: "faithfulness" })).toEqual([]);
  const other = { ...PRINCIPAL, keyId: "key_other" };
  expect(await labels.queue(other, { metric: "correctness", limit: 1 })).toEqual(["res_3"]);
});

test("a run's disagreements: evaluators first, then repeats, then scores near the threshold; clear results are left out", async () => {
  const id = await seedRun(db, { samples: 60, repeats: 2 });
  const offered = await labels.disagreements(PRINCIPAL, id, "correctness");
  const reasons = [];
  for (const { id: result } of offered) {
    const { scores, run_id, sample_key } = (await readResult(db, result, PRINCIPAL)).result;
    const verdicts = new Set(scores.map(({ passed }) => passed));
    const repeats = await listRepeats(db, run_id, sample_key);
    const isVarying = new Set(repeats.flatMap(({ passed }) => passed ?? [])).size > 1;
    const isNear = scores.some(({ value }) => value !== null && Math.abs(value - 0.5) <= 0.1);
    reasons.push(verdicts.size > 1 ? "evaluators" : isVarying ? "repeats" : isNear ? "near" : "clear");
  }
  expect(offered.length).toBe(20);
  expect([...new Set(reasons)]).toEqual(["evaluators", "repeats"]);
  const [first, second] = offered;
  await labels.add(PRINCIPAL, first?.id ?? "", { metric: "correctness", value: 1 }, unsealed);
  const again = await labels.disagreements(PRINCIPAL, id, "correctness");
  expect(again.slice(0, 2)).toEqual([
    { id: first?.id ?? "", isLabelled: true },
    { id: second?.id ?? "", isLabelled: false },
  ]);
  expect(await labels.disagreements({ ...PRINCIPAL, allowedIndexes: [] }, id, "correctness")).toHaveLength(20);
  expect(await labels.disagreements(PRINCIPAL, id, "faithfulness")).toEqual([]);
  expect(await labels.disagreements(PRINCIPAL, "run_1", "correctness")).toEqual([]);
});
