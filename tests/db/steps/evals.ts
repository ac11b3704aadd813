import type { Db } from "../../../db/client";
import * as evaluators from "../../../db/evaluators";
import * as feedback from "../../../db/feedback";
import * as labels from "../../../db/labels";
import * as prompts from "../../../db/prompts";
import * as results from "../../../db/results";
import * as runs from "../../../db/runs";
import { sampleOf } from "./datasets";
import { AT, LATER, type Step, type StepGroup } from "./step";

const run = (tag: string): string => `run_${tag}`;
const result = (tag: string): string => `res_${tag}`;
const score = (tag: string, value: number): results.NewScoreRow => ({
  resultId: result(tag),
  metric: "correctness",
  evaluator: "reference@1",
  evaluatorHash: "evaluator",
  criterionHash: "criterion",
  criterion: { name: "correctness" },
  state: "scored",
  value,
  passed: true,
  claims: [],
  votes: [],
  shadow: false,
  scoredAt: AT,
});
const label = (tag: string, n: number) => ({
  id: `label_${tag}_${n}`,
  resultId: result(tag),
  metric: "correctness",
  value: n,
  failure: null,
  comment: null,
  blind: true,
  labelledBy: "test",
  createdAt: AT,
});

const steps: readonly Step[] = [
  {
    name: "insertPromptVersion",
    write: (db, tag) =>
      db.write(async (tx) => {
        const row = { name: tag, createdBy: "test", createdAt: AT };
        for (const content of ["one", "two"]) {
          await prompts.insertPromptVersion(tx, { ...row, hash: content, messages: [{ role: "user", content }] });
        }
      }),
  },
  {
    name: "movePromptLabel",
    write: (db, tag) =>
      db.write(async (tx) => {
        await prompts.movePromptLabel(tx, tag, "production", 1);
        await prompts.movePromptLabel(tx, tag, "production", 2);
        await prompts.movePromptLabel(tx, tag, "gone", 1);
        await prompts.movePromptLabel(tx, tag, "gone", null);
      }),
  },
  {
    name: "insertEvaluatorVersion",
    write: (db, tag) =>
      db.write((tx) =>
        evaluators.insertEvaluatorVersion(
          tx,
          { name: tag, criteria: [], judge: {}, createdBy: "test", createdAt: AT },
          1,
        ),
      ),
  },
  {
    name: "saveEvaluatorChoice",
    write: (db, tag) =>
      db.write(async (tx) => {
        await evaluators.saveEvaluatorChoice(tx, { name: tag, active: 1, shadow: 2, updatedAt: AT });
        await evaluators.saveEvaluatorChoice(tx, { name: tag, active: 2, shadow: null, updatedAt: LATER });
      }),
  },
  {
    name: "insertRun",
    write: (db, tag) =>
      db.write((tx) =>
        runs.insertRun(tx, {
          id: run(tag),
          kind: "single",
          name: tag,
          state: "completed",
          pins: { seed: 0 },
          prompt: `${tag}@2`,
          createdBy: "test",
          createdAt: AT,
        }),
      ),
  },
  {
    name: "insertResult",
    write: (db, tag) =>
      db.write((tx) =>
        results.insertResult(tx, {
          id: result(tag),
          runId: run(tag),
          sampleId: sampleOf(tag, 0).id,
          sampleKey: "k0",
          state: "done",
          passed: true,
        }),
      ),
  },
  {
    name: "insertScores",
    write: (db, tag) =>
      db.write(async (tx) => {
        await results.insertScores(tx, [score(tag, 1)]);
        await results.insertScores(tx, [score(tag, 0)]);
      }),
  },
  {
    name: "setOutcome",
    write: (db, tag) => db.write((tx) => results.setOutcome(tx, result(tag), { passed: false, failure: "wrong" })),
  },
  {
    name: "replaceLabel",
    write: (db, tag) =>
      db.write(async (tx) => {
        await labels.replaceLabel(tx, label(tag, 0));
        await labels.replaceLabel(tx, label(tag, 1));
      }),
  },
  {
    name: "markStale",
    write: (db, tag) => db.write((tx) => runs.markStale(tx, [result(tag)])),
  },
  {
    name: "storeFigures",
    write: (db, tag) =>
      db.write(async (tx) => {
        await runs.storeFigures(tx, run(tag), { version: 1, changes: 2, value: { passed: 0 } });
        await runs.storeFigures(tx, run(tag), { version: 1, changes: 1, value: { passed: 1 } });
      }),
  },
  {
    name: "saveFeedback",
    write: (db, tag) =>
      db.write((tx) =>
        feedback.saveFeedback(tx, {
          id: `fb_${tag}`,
          requestId: `req_${tag}`,
          rating: "up",
          comment: null,
          correction: null,
          sample: null,
          givenBy: "test",
          createdAt: AT,
        }),
      ),
  },
];

const stateOf = async (db: Db, tag: string) => {
  const versions = await prompts.listPromptVersions(db, tag, { limit: 10 });
  const choices = await evaluators.listEvaluatorChoices(db);
  const found = await results.findResult(db, result(tag));
  return {
    prompts: versions.map(({ version, usedByRuns }) => ({ version, usedByRuns })),
    labels: await prompts.listPromptLabels(db, tag),
    evaluators: (await evaluators.listEvaluatorVersions(db, tag)).map(({ version }) => version),
    choice: choices.filter(({ name }) => name === tag).map(({ active, shadow }) => ({ active, shadow })),
    run: ((row) => [row?.state, row?.figures?.value])(await runs.findRun(db, run(tag))),
    result: found && { passed: found.passed, failure: found.failure, input: found.sample.input },
    scores: (await results.listScores(db, [result(tag)])).map(({ value }) => value),
    people: (await labels.listLabels(db, [result(tag)])).map(({ value }) => value),
    history: (await labels.listLabelHistory(db, result(tag), { limit: 10 })).map(({ value }) => value),
    feedback: (await feedback.listFeedback(db, { limit: 1000 })).filter(({ id }) => id === `fb_${tag}`).length,
  };
};

const finalState = () => ({
  prompts: [
    { version: 2, usedByRuns: 1 },
    { version: 1, usedByRuns: 0 },
  ],
  labels: [{ label: "production", version: 2 }],
  evaluators: [2],
  choice: [{ active: 2, shadow: null }],
  run: ["completed", { passed: 0 }],
  result: { passed: false, failure: "wrong", input: "question 0" },
  scores: [1],
  people: [1],
  history: [0, 1],
  feedback: 1,
});

/** Prompts, evaluators, runs, results, scores, labels and feedback. */
export const evalSteps: StepGroup = { steps, stateOf, finalState };
