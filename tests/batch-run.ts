import type { Db } from "../db/client";
import { insertResult } from "../db/results";
import { insertRun } from "../db/runs";
import { insertSamples } from "../db/samples";
import { sampleRow } from "../gateway/datasets/content";
import { criteriaOf, criterionHash } from "../gateway/evals/rubric";
import { newId } from "../lib/ids";

export interface BatchRun {
  name: string;
  dataset: { id: string; name: string; revision: number };
  evaluator: string;
  /** One verdict per sample. */
  passed: readonly boolean[];
  endedAt: Date;
  /** Time that each sample took on a node. */
  workedMs?: number;
}

/** Stores a completed batch run as the jobs worker would, and returns its id. */
export const insertBatchRun = async (db: Db, run: BatchRun): Promise<string> => {
  const [criterion] = criteriaOf({ criteria: ["correctness"] });
  if (!criterion) throw new Error("There are no built-in criteria.");
  const id = newId("run");
  const { endedAt, dataset, evaluator } = run;
  const times = { createdAt: endedAt, startedAt: endedAt, endedAt };
  const pins = {
    dataset: { ...dataset, hash: "0".repeat(64) },
    target: { kind: "chat", model: "smollm2-135m-instruct" },
    ...{ model_revision: null, node_version: null, engine: null, prompt_hash: null, index_revision: null },
    evaluators: [{ evaluator, shadow: false, hash: evaluator }],
    ...{ rubric: null, rubric_hash: null, seed: 0, repeats: 1, code_version: "test", host: {} },
  };
  await db.write(async (tx) => {
    const row = { id, kind: "batch" as const, name: run.name, state: "completed" as const, createdBy: "key_1" };
    await insertRun(tx, { ...row, pins, datasetId: dataset.id, ...times });
    for (const [n, passed] of run.passed.entries()) {
      const { key, row: sample } = sampleRow({ input: `Question ${n}?`, references: ["Yes"] });
      await insertSamples(tx, [sample]);
      const resultId = newId("res");
      const latency = { queue: 0, ttft: 10, total: run.workedMs ?? 100 };
      const output = { text: "Yes", contexts: [], citations: [], cache: { status: "miss" }, latency };
      const result = { id: resultId, runId: id, sampleId: sample.id, sampleKey: key, state: "done" as const };
      const score = { resultId, metric: "correctness", criterion, criterionHash: criterionHash(criterion), evaluator };
      await insertResult(tx, { ...result, output, passed }, [
        {
          ...{ ...score, evaluatorHash: evaluator, state: "scored", value: passed ? 1 : 0, passed, shadow: false },
          ...{ claims: [], votes: [], scoredAt: endedAt },
        },
      ]);
    }
  });
  return id;
};
