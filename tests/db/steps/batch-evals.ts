import * as batch from "../../../db/batch-evals";
import * as listed from "../../../db/batch-results";
import type { Db } from "../../../db/client";
import * as results from "../../../db/results";
import * as runs from "../../../db/runs";
import { sampleOf } from "./datasets";
import { AT, LATER, type Step, type StepGroup } from "./step";

const run = (tag: string): string => `run_${tag}_batch`;
const job = (tag: string): string => `job_${tag}_batch`;
const result = (tag: string, n: number): string => `res_${tag}_batch_${n}`;

const ended = (tag: string, n: number): batch.EndedResult => ({
  id: result(tag, n),
  state: n === 0 ? "done" : "error",
  output: null,
  passed: n === 0 ? true : null,
  failure: n === 0 ? null : "timeout",
  error: null,
  attempts: 1,
  sequence: n + 1,
  overall: n === 0 ? 1 : null,
  latencyMs: 5,
  endedAt: LATER,
});

const scoreOf = (tag: string): results.NewScoreRow => ({
  resultId: result(tag, 0),
  metric: "correctness",
  evaluator: "reference@1",
  evaluatorHash: "evaluator",
  criterionHash: "criterion",
  criterion: { name: "correctness" },
  state: "scored",
  value: 1,
  passed: true,
  claims: [],
  votes: [],
  shadow: false,
  scoredAt: AT,
});

const steps: readonly Step[] = [
  {
    name: "insertPendingResults",
    write: (db, tag) =>
      db.write(async (tx) => {
        await runs.insertRun(tx, {
          ...{ id: run(tag), kind: "batch", name: tag, state: "queued", pins: {}, createdBy: "test", createdAt: AT },
          jobId: job(tag),
        });
        const rows = [0, 1, 2].map((n) => ({
          ...{ id: result(tag, n), runId: run(tag), sampleId: sampleOf(tag, 0).id, sampleKey: `k${n}` },
          ...{ repeat: 0, position: n, createdAt: AT },
        }));
        await batch.insertPendingResults(tx, rows);
        await batch.insertPendingResults(tx, rows.slice(0, 1));
      }),
  },
  {
    name: "startResults",
    write: (db, tag) => db.write((tx) => batch.startResults(tx, run(tag), { limit: 2, exceptIds: [result(tag, 1)] })),
  },
  { name: "recordDeaths", write: (db, tag) => db.write((tx) => batch.recordDeaths(tx, run(tag))) },
  { name: "startResult", write: (db, tag) => db.write((tx) => batch.startResult(tx, result(tag, 2))) },
  { name: "returnResults", write: (db, tag) => db.write((tx) => batch.returnResults(tx, run(tag))) },
  {
    name: "endResults",
    write: (db, tag) =>
      db.write(async (tx) => {
        await batch.startResults(tx, run(tag), { limit: 2 });
        // The third one isn't running, so it doesn't change.
        await batch.endResults(
          tx,
          [0, 1, 2].map((n) => ended(tag, n)),
        );
      }),
  },
  { name: "insertScoreRows", write: (db, tag) => db.write((tx) => results.insertScoreRows(tx, [scoreOf(tag)])) },
  {
    name: "resetErrors",
    write: (db, tag) => db.write((tx) => batch.resetErrors(tx, run(tag), { sequence: 2, limit: 10 })),
  },
  {
    name: "updateBatchRun",
    write: (db, tag) => db.write((tx) => batch.updateBatchRun(tx, run(tag), { state: "running", startedAt: AT })),
  },
  { name: "setRecomputeJob", write: (db, tag) => db.write((tx) => batch.setRecomputeJob(tx, run(tag), job(tag))) },
];

const stateOf = async (db: Db, tag: string) => {
  const rows = await listed.listBatchResults(db, run(tag), { limit: 10, sort: "worst" });
  const row = await runs.findRun(db, run(tag));
  return {
    results: rows.map(({ sampleKey, state, deaths, sequence }) => [sampleKey, state, deaths, sequence]),
    suspects: await batch.listSuspects(db, run(tag)),
    ended: (await listed.listEndedResults(db, run(tag), 0, 10)).map(({ sampleKey }) => sampleKey),
    scores: (await results.listScores(db, [result(tag, 0)])).map(({ value }) => value),
    run: [row?.state, row?.changes, row?.recomputeJobId],
  };
};

const finalState = (tag: string) => ({
  results: [
    ["k0", "done", 1, 1],
    ["k1", "pending", 0, null],
    ["k2", "pending", 1, null],
  ],
  suspects: [{ id: result(tag, 2), deaths: 1 }],
  ended: ["k0"],
  scores: [1],
  run: ["running", 1, job(tag)],
});

/** The results of a batch run. */
export const batchSteps: StepGroup = { steps, stateOf, finalState };
