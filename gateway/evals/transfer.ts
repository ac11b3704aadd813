import { appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import { type LabelRow, listLabelHistory, replaceLabel } from "../../db/labels";
import * as resultStore from "../../db/results";
import * as runStore from "../../db/runs";
import { insertSamples } from "../../db/samples";
import { AppError } from "../../lib/errors";
import { toNewSample } from "../datasets/content";
import { sampleRow } from "../datasets/identity";
import type { Seal } from "../http/idempotency";
import type { Principal } from "../principal";
import type { RunExport, RunImport } from "./contract";
import { summarizeRun } from "./summary";
import { toResult, toRun } from "./wire";

/** Results that are read at once. */
const PAGE = 200;
/** A run in one piece is held in memory; larger ones are exported as batches. */
const MOST_RESULTS = 10_000;

export interface EvalTransfer {
  /** Everything of a run. Throws not_found. */
  export(id: string): Promise<RunExport>;
  /** Takes a run in, all of it or nothing. One that is here already stays as it is. Throws conflict. */
  import(principal: Principal, file: RunExport, seal: Seal): Promise<RunImport>;
}

export const createEvalTransfer = ({ db, now = () => new Date() }: { db: Db; now?: () => Date }): EvalTransfer => {
  const labelsOf = async (resultId: string): Promise<LabelRow[]> => {
    const all: LabelRow[] = [];
    for (;;) {
      const page = await listLabelHistory(db, resultId, { limit: PAGE, after: all.at(-1)?.id });
      all.push(...page);
      if (page.length < PAGE) return all;
    }
  };

  const entriesOf = async (runId: string): Promise<RunExport["results"]> => {
    const entries: RunExport["results"] = [];
    for (let cursor: resultStore.ResultCursor | undefined; ; ) {
      const rows = await resultStore.listResults(db, runId, { limit: PAGE, cursor });
      const scores = Map.groupBy(
        await resultStore.listScores(
          db,
          rows.map(({ id }) => id),
        ),
        ({ resultId }) => resultId,
      );
      for (const row of rows) {
        const sample = toNewSample({ ...row.sample, key: row.sampleKey } as Parameters<typeof toNewSample>[0]);
        entries.push({ sample, result: toResult(row, scores.get(row.id) ?? [], await labelsOf(row.id)) });
      }
      cursor = rows.at(-1);
      if (rows.length < PAGE) return entries;
    }
  };

  return {
    async export(id) {
      const row = await runStore.findRun(db, id);
      if (!row) throw new AppError("not_found", `There is no run ${id}. GET /v1/evals lists what there is.`);
      const run = toRun(row, await summarizeRun(db, row));
      if (run.progress.total > MOST_RESULTS) {
        throw new AppError("invalid_request", `A run of more than ${MOST_RESULTS} results is exported as a batch.`);
      }
      return { version: 1, run, results: await entriesOf(id) };
    },

    async import(principal, file, seal) {
      return db.write(async (tx) => {
        const { run } = file;
        const isKnown = (await runStore.findRun(tx, run.id)) !== undefined;
        if (!isKnown) {
          await insertRun(tx, file);
          for (const entry of file.results) await insertEntry(tx, run.id, entry);
          const detail = { results: file.results.length, created_by: run.created_by };
          await appendAudit(tx, { at: now(), actor: principal.keyId, action: "run.import", target: run.id, detail });
        }
        const answer = { run_id: run.id, imported: !isKnown };
        await seal(tx, answer);
        return answer;
      });
    },
  };
};

const insertRun = async (tx: Tx, { run }: RunExport): Promise<void> => {
  if (run.ended_at === null) throw new AppError("invalid_request", "The run in this file has not ended.");
  await runStore.insertRun(tx, {
    id: run.id,
    kind: run.kind,
    name: run.name,
    tags: run.tags,
    state: run.state,
    pins: run.pins,
    datasetId: run.pins.dataset?.id,
    prompt: run.pins.target.prompt,
    error: run.error,
    createdBy: run.created_by,
    createdAt: new Date(run.created_at),
    startedAt: run.started_at === null ? null : new Date(run.started_at),
    endedAt: new Date(run.ended_at),
  });
};

const insertEntry = async (tx: Tx, runId: string, { sample, result }: RunExport["results"][number]): Promise<void> => {
  const { row } = sampleRow(sample);
  await insertSamples(tx, [row]);
  if (await resultStore.findResult(tx, result.id)) {
    throw new AppError("conflict", `The result ${result.id} belongs to another run here.`);
  }
  await resultStore.insertResult(tx, {
    id: result.id,
    runId,
    sampleId: row.id,
    sampleKey: result.sample_key,
    repeat: result.repeat,
    state: result.state,
    output: result.output,
    passed: result.passed,
    failure: result.failure,
    error: result.error,
    attempts: result.attempts,
    createdAt: new Date(result.scores[0]?.scored_at ?? 0),
  });
  const scores = result.scores.map(({ rubric_hash: rubricHash, scored_at: scoredAt, ...score }) => ({
    ...score,
    resultId: result.id,
    rubricHash,
    scoredAt: new Date(scoredAt),
  }));
  await resultStore.insertScores(tx, scores);
  for (const label of result.labels) {
    await replaceLabel(tx, {
      id: label.id,
      resultId: result.id,
      metric: label.metric,
      value: label.value,
      failure: label.failure,
      comment: label.comment,
      blind: label.blind,
      labelledBy: label.labelled_by,
      createdAt: new Date(label.created_at),
    });
  }
};
