import { afterEach, beforeEach, expect, test } from "bun:test";
import type { Db } from "../../db/client";
import { replaceLabel } from "../../db/labels";
import { insertResult, insertScores } from "../../db/results";
import { insertRun } from "../../db/runs";
import { insertSamples } from "../../db/samples";
import { temporaryDb } from "../../tests/db/temporary";
import { PRINCIPAL } from "../../tests/principal";
import type { Criterion } from "../evals/contract";
import { criterionHash } from "../evals/rubric";
import { type AgreementService, createAgreement } from "./agreement";
import { createEvaluators } from "./service";

const AT = new Date("2026-11-26T12:00:00Z");
const criterion = (threshold: number): Criterion => ({
  name: "politeness",
  description: "Is it polite?",
  scale: { min: 0, max: 1, step: 0.5 },
  direction: "higher_is_better",
  threshold,
  weight: 1,
});

let db: Db;
let agreement: AgreementService;

beforeEach(async () => {
  db = await temporaryDb();
  const evaluators = createEvaluators({ db });
  const judge = { model: "m", prompt: null, votes: 1, temperature: 0, seed: 0 };
  for (const threshold of [1, 0.5]) {
    const request = { name: "polite", criteria: [criterion(threshold)], judge };
    await evaluators.create(PRINCIPAL, request, async () => {});
  }
  await evaluators.promote(PRINCIPAL, "polite", 1);
  await evaluators.shadow(PRINCIPAL, "polite", 2);
  agreement = createAgreement({ db, evaluators });
  await db.write(async (tx) => {
    const content = { input: "Who?", references: [], contexts: [], output: null, group: null, tags: [], metadata: {} };
    await insertSamples(tx, [{ id: "sample_1", hash: "h", ...content }]);
    const run = { id: "run_1", kind: "batch" as const, name: "run", state: "completed" as const };
    await insertRun(tx, { ...run, pins: {}, createdBy: "key", createdAt: AT });
  });
});
afterEach(() => db.close());

/**
 * Adds a result with a value by the active version (threshold 1) and the shadow (0.5), and a person's label; null: an
 * error.
 */
const add = async (
  key: string,
  [active, shadow, label]: [active: number | null, shadow: number | null, label?: number],
): Promise<void> => {
  const scoreOf = (version: number, threshold: number, value: number | null) => ({
    resultId: `res_${key}`,
    metric: "politeness",
    evaluator: `polite@${version}`,
    evaluatorHash: "e",
    criterion: criterion(threshold),
    criterionHash: criterionHash(criterion(threshold)),
    state: value === null ? ("error" as const) : ("scored" as const),
    value,
    passed: value === null ? null : value >= threshold,
    claims: [],
    votes: [],
    shadow: version === 2,
    scoredAt: AT,
  });
  await db.write(async (tx) => {
    const row = { runId: "run_1", sampleId: "sample_1", sampleKey: key, state: "done" as const, createdAt: AT };
    await insertResult(tx, { id: `res_${key}`, ...row });
    await insertScores(tx, [scoreOf(1, 1, active), scoreOf(2, 0.5, shadow)]);
  });
  if (label !== undefined) await give(key, label);
};

const give = (key: string, value: number): Promise<void> =>
  db.write((tx) =>
    replaceLabel(tx, {
      id: `label_${key}`,
      resultId: `res_${key}`,
      metric: "politeness",
      value,
      ...{ failure: null, comment: null, blind: true, labelledBy: "key", createdAt: AT },
    }),
  );

test("a shadow report lists the results on which both versions disagree, and how much their values differ", async () => {
  await add("same", [1, 1]);
  await add("to-pass", [0.5, 0.5]);
  await add("to-fail", [1, 0]);
  await add("both-fail", [0, 0]);
  await add("broken", [1, null]);
  const report = await agreement.shadowReport("polite");
  expect(report).toMatchObject({ name: "polite", active: 1, shadow: 2, results: 5 });
  expect(report.metrics).toHaveLength(1);
  expect(report.metrics[0]).toMatchObject({ metric: "politeness", to_pass: 1, to_fail: 1, shadow_errors: 1 });
  expect(report.metrics[0]?.kappa?.value).toBeCloseTo(0);
  expect(report.metrics[0]?.mean_shift?.value).toBeCloseTo(-0.25);
  expect(report.flips.map(({ result_id, active, shadow }) => [result_id, active, shadow]).sort()).toEqual([
    ["res_to-fail", true, false],
    ["res_to-pass", false, true],
  ]);
});

test("labels are compared with the threshold of the evaluated version", async () => {
  for (let n = 0; n < 30; n++) await add(`k${n}`, n % 2 === 0 ? [0.5, 0.5, 0.5] : [0, 0, 0]);
  const byVersion = new Map((await agreement.withPeople({ name: "polite" })).map((entry) => [entry.evaluator, entry]));
  // With a threshold of 1, both people and the active version fail every result; with 0.5, both pass every second
  // result.
  expect(byVersion.get("polite@1")).toMatchObject({ labels: 30, pass_rate: 0, criterion: { threshold: 1 } });
  expect(byVersion.get("polite@1")?.agreement?.sensitivity).toBeNull();
  expect(byVersion.get("polite@2")).toMatchObject({ labels: 30, pass_rate: 0.5, criterion: { threshold: 0.5 } });
  expect(byVersion.get("polite@2")?.agreement?.sensitivity?.value).toBe(1);
});

/** Scores the same result with a judge that is neither active nor a shadow, as if a request had named the judge. */
const addJudge = (key: string, value: number) =>
  db.write((tx) =>
    insertScores(tx, [
      {
        resultId: `res_${key}`,
        metric: "politeness",
        evaluator: "judge@1",
        evaluatorHash: "j",
        criterion: criterion(1),
        criterionHash: criterionHash(criterion(1)),
        state: "scored" as const,
        value,
        passed: value >= 1,
        claims: [],
        votes: [],
        shadow: false,
        scoredAt: AT,
      },
    ]),
  );

test("a judge that is neither active nor a shadow is listed once its results are labelled", async () => {
  for (let n = 0; n < 30; n++) {
    await add(`k${n}`, [1, 1]);
    await addJudge(`k${n}`, n % 3 === 0 ? 0 : 1);
  }
  const names = async () => (await agreement.withPeople()).map(({ evaluator }) => evaluator);
  expect(await names()).toEqual(["polite@1", "polite@2"]);
  for (let n = 0; n < 30; n++) await give(`k${n}`, n % 2);
  expect(await names()).toEqual(["polite@1", "polite@2", "judge@1"]);
  expect((await agreement.withPeople({ name: "polite" })).map(({ evaluator }) => evaluator)).toEqual([
    "polite@1",
    "polite@2",
  ]);
  const [judge] = await agreement.withPeople({ name: "judge" });
  expect(judge).toMatchObject({ evaluator: "judge@1", labels: 30 });
  // The judge fails 5 of the 15 results that people pass, and passes 10 of the 15 that they fail.
  expect(judge?.agreement?.sensitivity?.value).toBeCloseTo(10 / 15);
  expect(judge?.agreement?.specificity?.value).toBeCloseTo(5 / 15);
  expect(judge?.agreement?.kappa?.value).toBeCloseTo(0);
});

test("a criterion that only such a judge has scored can be labelled", async () => {
  await add("one", [1, 1]);
  await db.write(async (tx) => {
    const tone = { ...criterion(1), name: "tone" };
    const score = { resultId: "res_one", metric: "tone", evaluator: "judge@1", evaluatorHash: "j", criterion: tone };
    const rest = { value: 1, passed: true, claims: [], votes: [], shadow: false, scoredAt: AT };
    await insertScores(tx, [{ ...score, criterionHash: criterionHash(tone), state: "scored", ...rest }]);
  });
  expect(await agreement.metrics()).toEqual(["politeness", "tone"]);
});

test("labelled results count, however many newer results there are", async () => {
  await add("labelled", [1, 1, 1]);
  for (let n = 0; n < 5; n++) await add(`k${n}`, [0, 0]);
  const few = createAgreement({ db, evaluators: createEvaluators({ db }), maxUnlabelled: 3 });
  const [active] = await few.withPeople({ name: "polite", metric: "politeness" });
  expect([active?.labels, active?.results]).toEqual([1, 4]);
});
