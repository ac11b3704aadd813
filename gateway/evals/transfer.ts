import { appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import { findLabelIds, listLabelHistories, replaceLabel } from "../../db/labels";
import * as resultStore from "../../db/results";
import * as runStore from "../../db/runs";
import { insertSamples } from "../../db/samples";
import { AppError } from "../../lib/errors";
import { assertMayStore } from "../content-logging";
import { sampleRow, toNewSample } from "../datasets/content";
import type { Seal } from "../idempotency/service";
import type { Principal } from "../principal";
import { MAX_EXPORTED, type Output, type RunExport, type RunImport, type Score } from "./contract";
import { criteriaOf, criterionHash, passes } from "./rubric";
import { createRunReader } from "./summary";
import { outcomeOf } from "./verdict";
import { toResult, toScoreRow } from "./wire";

type Entry = RunExport["results"][number];

/** Results read per query. */
const PAGE = 200;

export interface EvalTransfer {
  /** A run with its results, scores and labels. Throws not_found, and invalid_request if it is too large. */
  export(id: string): Promise<RunExport>;
  /**
   * Imports a run in one transaction. A run that already exists does not change. Throws conflict if parts of it belong
   * to another run, invalid_request for an inconsistent file, insufficient_role for a key whose content must not
   * be stored.
   */
  import(principal: Principal, file: RunExport, seal: Seal): Promise<RunImport>;
}

export const createEvalTransfer = ({ db, now = () => new Date() }: { db: Db; now?: () => Date }): EvalTransfer => {
  const readRun = createRunReader(db);

  const entriesOf = async ({ id: runId, pins }: runStore.RunRow): Promise<Entry[]> => {
    const entries: Entry[] = [];
    for (let cursor: resultStore.ResultCursor | undefined; ; ) {
      const rows = await resultStore.listResults(db, runId, { limit: PAGE, cursor });
      const ids = rows.map(({ id }) => id);
      const scores = Map.groupBy(await resultStore.listScores(db, ids), ({ resultId }) => resultId);
      const labels = Map.groupBy(await listLabelHistories(db, ids), ({ resultId }) => resultId);
      for (const row of rows) {
        const sample = toNewSample({ ...row.sample, key: row.sampleKey } as Parameters<typeof toNewSample>[0]);
        const {
          input,
          references,
          contexts,
          group,
          tags,
          verdicts,
          output,
          labels: given,
          ...result
        } = toResult(row, {
          scores: scores.get(row.id) ?? [],
          labels: labels.get(row.id) ?? [],
          order: pins,
        });
        const own = given.map(({ labelled_by_name: _, ...label }) => label);
        entries.push({
          sample,
          result: { ...result, output: output && withoutContextsOf(output, contexts), labels: own },
        });
      }
      cursor = rows.at(-1);
      if (rows.length < PAGE) return entries;
    }
  };

  return {
    async export(id) {
      const row = await runStore.findRun(db, id);
      if (!row) throw new AppError("not_found", `There is no run ${id}. GET /v1/evals lists the runs.`);
      const run = await readRun(row);
      if (run.progress.total > MAX_EXPORTED) {
        throw new AppError("invalid_request", `This run has more than ${MAX_EXPORTED} results. Export it as a batch.`);
      }
      return { version: 1, run, results: await entriesOf(row) };
    },

    async import(principal, file, seal) {
      assertMayStore(principal, "evaluations", "Use another key.");
      checkRunFile(file);
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

/** Leaves out the contexts of an output if they are those of the sample, as they mostly are. */
const withoutContextsOf = (output: Output, contexts: readonly string[]): NonNullable<Entry["result"]["output"]> => {
  const isSame = output.contexts.length === contexts.length && output.contexts.every((text, n) => text === contexts[n]);
  return { ...output, contexts: isSame ? null : output.contexts };
};

const insertRun = (tx: Tx, { run }: RunExport): Promise<void> =>
  runStore.insertRun(tx, {
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
    endedAt: run.ended_at === null ? null : new Date(run.ended_at),
  });

const insertEntry = async (tx: Tx, runId: string, { sample, result }: Entry): Promise<void> => {
  const { row } = sampleRow(sample);
  await insertSamples(tx, [row]);
  if (await resultStore.findResult(tx, result.id)) {
    throw new AppError("conflict", `The result ${result.id} belongs to another run here.`);
  }
  const output = result.output && { ...result.output, contexts: result.output.contexts ?? sample.contexts ?? [] };
  const scores = result.scores.map(derived);
  const added: resultStore.NewResultRow = {
    id: result.id,
    runId,
    sampleId: row.id,
    sampleKey: result.sample_key,
    repeat: result.repeat,
    state: result.state,
    output,
    ...(output ? outcomeOf(output, scores) : { passed: null, failure: result.failure }),
    error: result.error,
    attempts: result.attempts,
    createdAt: new Date(result.scores[0]?.scored_at ?? 0),
  };
  await resultStore.insertResult(
    tx,
    added,
    scores.map((score) => toScoreRow(result.id, score)),
  );
  const [taken] = await findLabelIds(
    tx,
    result.labels.map(({ id }) => id),
  );
  if (taken) throw new AppError("conflict", `The label ${taken} belongs to another result here.`);
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

/** Recomputes what follows from a score's value and criterion, instead of trusting the file. */
const derived = (score: Score): Score => ({
  ...score,
  criterion_hash: criterionHash(score.criterion),
  passed: score.value === null ? null : passes(score.criterion, score.value),
});

const ENDED = new Set(["completed", "failed", "cancelled"]);

/** Throws invalid_request, naming the place, for an exported run that is inconsistent. */
const checkRunFile = ({ run, results }: RunExport): void => {
  if (!ENDED.has(run.state) || run.ended_at === null) {
    throw invalidFile("run.state", `The run in this file has not ended: it is ${run.state}.`);
  }
  if (run.pins.rubric) atPlace("run.pins.rubric", () => criteriaOf(run.pins.rubric ?? { criteria: [] }));
  const places = { results: new Set<string>(), samples: new Set<string>(), labels: new Set<string>() };
  const once = (known: Set<string>, id: string, place: string) => {
    if (known.has(id)) throw invalidFile(place, `${id} occurs twice.`);
    known.add(id);
  };
  for (const [index, { result }] of results.entries()) {
    const place = `results.${index}.result`;
    once(places.results, result.id, `${place}.id`);
    once(places.samples, `${result.sample_key}, repeat ${result.repeat},`, `${place}.sample_key`);
    for (const { id } of result.labels) once(places.labels, id, `${place}.labels`);
    if (result.state !== "done" && result.state !== "error") {
      throw invalidFile(`${place}.state`, `The run has ended, so this result can't be ${result.state}.`);
    }
    for (const [number, score] of result.scores.entries()) checkScore(score, `${place}.scores.${number}`);
  }
};

const checkScore = ({ metric, criterion, state, value }: Score, place: string): void => {
  atPlace(`${place}.criterion`, () => criteriaOf({ criteria: [criterion] }));
  if (metric !== criterion.name)
    throw invalidFile(`${place}.metric`, `The score's metric is ${metric}, but its criterion is ${criterion.name}.`);
  if ((state === "scored") !== (value !== null)) throw invalidFile(place, "A score has a value or an error, not both.");
  const { min, max } = criterion.scale;
  if (value !== null && (value < min || value > max)) {
    throw invalidFile(`${place}.value`, `The value ${value} is not on its scale, ${min} to ${max}.`);
  }
};

const atPlace = (place: string, check: () => unknown): void => {
  try {
    check();
  } catch (thrown) {
    throw thrown instanceof AppError ? invalidFile(place, thrown.message) : thrown;
  }
};

const invalidFile = (param: string, message: string): AppError => new AppError("invalid_request", message, { param });
