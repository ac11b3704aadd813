import { appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import { findLabelIds, listLabelHistories, type NamedLabelRow, replaceLabel } from "../../db/labels";
import * as resultStore from "../../db/results";
import * as runStore from "../../db/runs";
import { insertSamples } from "../../db/samples";
import { csvRecord, guardText } from "../../lib/csv";
import { AppError } from "../../lib/errors";
import { assertMayStore } from "../content-logging";
import { contentOf, sampleRow, toNewSample } from "../datasets/content";
import type { Seal } from "../idempotency/service";
import type { Principal } from "../principal";
import { fromRow, toRow } from "../wire";
import { type Output, RunInfo, type Score } from "./contract";
import type { RunReader } from "./history";
import { criteriaOf, criterionHash, passes } from "./rubric";
import { type ComputeFigures, createRunReader } from "./summary";
import { questionOf } from "./target";
import {
  ExportedLabel,
  ExportedResult,
  MAX_EXPORTED,
  type RunExport,
  type RunExportQuery,
  type RunImport,
} from "./transfer-contract";
import { decidingScores, inRunOrder, outcomeOf } from "./verdict";
import { toScore, toScoreRow } from "./wire";

type Entry = RunExport["results"][number];

/** Results read per query. */
const PAGE = 200;

export interface EvalTransfer {
  /** A run with its results, scores and labels. Throws not_found, and invalid_request if it is too large. */
  export(reader: RunReader, id: string): Promise<RunExport>;
  /**
   * Imports a run in one transaction. A run that already exists is not changed. Throws conflict if parts of it belong
   * to another run, invalid_request for an inconsistent file, insufficient_role for a key whose content may not be
   * stored.
   */
  import(principal: Principal, file: RunExport, seal: Seal): Promise<RunImport>;
}

interface TransferDeps {
  db: Db;
  computeFigures?: ComputeFigures;
  now?: () => Date;
}

export const createEvalTransfer = ({ db, computeFigures, now = () => new Date() }: TransferDeps): EvalTransfer => {
  const readRun = createRunReader(db, computeFigures);

  const entriesOf = async (runId: string): Promise<Entry[]> => {
    const entries: Entry[] = [];
    for (let cursor: resultStore.ResultCursor | undefined; ; ) {
      const rows = await resultStore.listResults(db, runId, { limit: PAGE, cursor });
      const ids = rows.map(({ id }) => id);
      const scores = Map.groupBy(await resultStore.listScores(db, ids), ({ resultId }) => resultId);
      const labels = Map.groupBy(await listLabelHistories(db, ids), ({ resultId }) => resultId);
      for (const row of rows) {
        entries.push(toEntry(row, (scores.get(row.id) ?? []).map(toScore), labels.get(row.id) ?? []));
      }
      cursor = rows.at(-1);
      if (rows.length < PAGE) return entries;
    }
  };

  return {
    async export(reader, id) {
      const row = await runStore.findRun(db, id, reader.allowedIndexes);
      if (!row) throw new AppError("not_found", `Run ${id} not found. GET /v1/evals lists the runs.`);
      const run = await readRun(row, { isFinal: true });
      if (run.progress.total > MAX_EXPORTED) {
        throw new AppError("invalid_request", `This run has more than ${MAX_EXPORTED} results. Export it as a batch.`);
      }
      return { version: 1, run, results: await entriesOf(row.id) };
    },

    async import(principal, file, seal) {
      assertMayStore(principal, "evaluations", "Use another key.");
      checkRunFile(file);
      return db.write(async (tx) => {
        const { run } = file;
        const isKnown = (await runStore.findRun(tx, run.id)) !== undefined;
        if (!isKnown) {
          const { dataset, target } = run.pins;
          const row = { ...toRow(RunInfo, run), datasetId: dataset?.id, prompt: target.prompt };
          await runStore.insertRun(tx, row);
          for (const [position, entry] of file.results.entries()) await insertEntry(tx, run.id, entry, position);
          const detail = { results: file.results.length, created_by: run.created_by };
          await appendAudit(tx, { at: now(), actor: principal, action: "run.import", target: run.id, detail });
        }
        const answer = { run_id: run.id, imported: !isKnown };
        await seal(tx, answer);
        return answer;
      });
    },
  };
};

/** A result as a file has it, with its sample. `labels` include replaced ones. */
export const toEntry = (row: resultStore.ResultRow, scores: Score[], labels: readonly NamedLabelRow[]): Entry => {
  const sample = toNewSample({ ...contentOf(row.sample), key: row.sampleKey });
  const output = row.output as Output | null;
  const result = fromRow(ExportedResult, row, {
    output: output && withoutContextsOf(output, row.sample.contexts),
    scores,
    labels: labels.map((label) => fromRow(ExportedLabel, label)),
  });
  return { sample, result };
};

/** Omits the contexts of an output if they are the sample's contexts, as they usually are. */
const withoutContextsOf = (output: Output, contexts: readonly string[]): NonNullable<Entry["result"]["output"]> => {
  const isSame = output.contexts.length === contexts.length && output.contexts.every((text, n) => text === contexts[n]);
  return { ...output, contexts: isSame ? null : output.contexts };
};

const insertEntry = async (tx: Tx, runId: string, { sample, result }: Entry, position: number): Promise<void> => {
  const { row } = sampleRow(sample);
  await insertSamples(tx, [row]);
  if (await resultStore.findResult(tx, result.id)) {
    throw new AppError("conflict", `The result ${result.id} already belongs to another run on this instance.`);
  }
  const output = result.output && { ...result.output, contexts: result.output.contexts ?? sample.contexts ?? [] };
  const scores = result.scores.map(derived);
  const { labels: _, scores: __, ...columns } = toRow(ExportedResult, result);
  const added: resultStore.NewResultRow = {
    ...columns,
    ...(output ? outcomeOf(output, scores, sample) : { passed: null }),
    runId,
    sampleId: row.id,
    position,
    output,
    latencyMs: output?.latency?.total ?? null,
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
  if (taken) throw new AppError("conflict", `The label ${taken} already belongs to another result on this instance.`);
  for (const label of result.labels) {
    const { replacedAt: _, ...row } = toRow(ExportedLabel, label);
    await replaceLabel(tx, { ...row, resultId: result.id });
  }
};

/** Recomputes what a score's value and criterion determine, instead of trusting the file. */
const derived = (score: Score): Score => ({
  ...score,
  criterion_hash: criterionHash(score.criterion),
  passed: score.value === null ? null : passes(score.criterion, score.value),
});

const ENDED = new Set(["completed", "failed", "cancelled"]);

/** Throws invalid_request for an inconsistent exported run, with the field's path. */
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

/** A run as a file: everything as JSON, or its scores as CSV. */
export const runFile = (file: RunExport, format: RunExportQuery["format"] = "json") =>
  format === "csv"
    ? { name: `${file.run.id}.csv`, mediaType: "text/csv", content: toCsv(file) }
    : { name: `${file.run.id}.json`, mediaType: "application/json", content: `${JSON.stringify(file)}\n` };

const COLUMNS = [
  "result_id",
  "sample_key",
  "repeat",
  "input",
  "output",
  "passed",
  "failure",
  "evaluator",
  "metric",
  "state",
  "value",
  "metric_passed",
  "shadow",
  "in_verdict",
  "reason",
];

/** One line per score, in the order of the page. `in_verdict` says whether the verdict counts the score. */
const toCsv = ({ run, results }: RunExport): string =>
  [COLUMNS, ...results.flatMap((entry) => toLines(entry, run))]
    .map((cells) =>
      csvRecord(cells.map((cell) => (cell && typeof cell === "string" ? guardText(cell) : String(cell ?? "")))),
    )
    .join("");

const toLines = ({ sample, result }: RunExport["results"][number], { pins }: RunExport["run"]): unknown[][] => {
  const { id, sample_key: key, repeat, output, passed, failure } = result;
  const common = [id, key, repeat, questionOf(sample.input), output?.text, passed, failure];
  if (result.scores.length === 0) return [[...common, ...Array.from({ length: COLUMNS.length - common.length })]];
  const counted = new Set(decidingScores(result.scores));
  return inRunOrder(result.scores, pins).map((score) => {
    const { evaluator, metric, state, value, passed: isPassed, shadow, reason } = score;
    return [...common, evaluator, metric, state, value, isPassed, shadow, counted.has(score), reason];
  });
};
