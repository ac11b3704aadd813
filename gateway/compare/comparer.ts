import type { Reads } from "../../db/client";
import { findSampleKeys, listFirstRepeats } from "../../db/compared-results";
import type { ResultRow } from "../../db/results";
import { findRun, type RunRow } from "../../db/runs";
import { AppError } from "../../lib/errors";
import type { FailureKind, Output, SampleResult } from "../evals/contract";
import { estimateMean } from "../evals/statistics/estimate";
import { pageOf, readNumberCursor } from "../paging";
import { compareRuns } from "./comparison";
import {
  type ComparedRun,
  type CompareQuery,
  type Comparison,
  type RunComparison,
  type SampleComparison,
  VERDICT,
} from "./contract";
import type { GateRule, GateVerdict } from "./gate/contract";
import { judgeGate } from "./gate/gate";
import { matchKeys } from "./pattern";
import {
  type ChosenMetric,
  type ComparedRow,
  chooseMetric,
  compareRow,
  countRows,
  type Row,
  rowsOf,
  sortRows,
} from "./samples";
import { knownValues, type RunTable, readTable } from "./table";

/** Maximum number of samples in the tables, and in the comparisons, that are kept. Each takes about 350 bytes. */
const MAX_KEPT_SAMPLES = 200_000;

/** The runs to compare, the baseline first, and the samples to list. */
export interface CompareQuestion extends Omit<CompareQuery, "runs"> {
  runIds: string[];
}

/** A run to check against a gate. `baselineId` is null if no rule compares with a baseline. */
export interface GateQuestion {
  runId: string;
  baselineId: string | null;
  rules: GateRule[];
}

interface Compared {
  tables: RunTable[];
  runs: ComparedRun[];
  comparisons: RunComparison[];
  rows: Row[];
}

/** Compares runs. Tables and comparisons are kept until a result, score or label of a run changes. */
export class Comparer {
  readonly #tables = new Map<string, { changes: number; table: Promise<RunTable> }>();
  readonly #compared = new Map<string, { changes: string; compared: Compared }>();

  constructor(private readonly db: Reads) {}

  async #table(id: string): Promise<RunTable> {
    const row = await findRun(this.db, id);
    if (!row) throw new AppError("not_found", `Run ${id} not found.`, { param: "runs" });
    return this.#tableOf(row);
  }

  /** Throws not_found, invalid_request. */
  async compare({ runIds, ...query }: CompareQuestion): Promise<Comparison> {
    const { tables, rows, runs, comparisons } = await this.#compare(runIds);
    const { show = "changed", tag, search, pattern, limit = 20 } = query;
    const { metric = VERDICT, evaluator } = query.metric === undefined ? defaultMetric(comparisons) : query;
    const chosen = chooseMetric(tables, metric, evaluator);
    if (!chosen) throw unknownMetric(tables, metric, evaluator);
    const keys = search === undefined ? undefined : await findSampleKeys(this.db, runIds, search);
    const found = rows.filter(
      (row) =>
        (keys === undefined || keys.has(row.key)) &&
        (tag === undefined || tagsOf(row, tables).includes(tag)) &&
        (query.slower_than_ms === undefined || slowest(row, tables) > query.slower_than_ms),
    );
    const fitting = pattern === undefined ? found : await this.#matching(pattern, found, tables);
    const all = fitting.map((row) => compareRow(row, tables, chosen));
    const shown = sortRows(
      all.filter(({ shows }) => shows.has(show)),
      show,
    );
    const from = readNumberCursor(query.after) ?? 0;
    const page = pageOf(
      shown.slice(from, from + limit + 1),
      limit,
      (row) => row,
      () => String(from + limit),
    );
    return {
      ...{ runs, comparisons, metric, evaluator: chosen.evaluator, counts: countRows(all) },
      samples: { ...page, data: await this.#complete(page.data, tables, chosen) },
    };
  }

  /** The rows with a text that matches. */
  async #matching(pattern: string, rows: readonly Row[], tables: readonly RunTable[]): Promise<Row[]> {
    const keys = [...new Set(rows.map(({ key }) => key))];
    const answersOf = ({ rows: own }: Row) =>
      tables.reduce((sum, { results }, run) => sum + (results[own[run] ?? -1] ?? 0), 0);
    const matching = await matchKeys(this.db, pattern, {
      ...{ keys, runIds: tables.map(({ run }) => run.id) },
      answers: rows.reduce((sum, row) => sum + answersOf(row), 0),
    });
    return rows.filter(({ key }) => matching.has(key));
  }

  /** Checks a run against rules. Throws not_found, and invalid_request for a metric that the run doesn't have. */
  async gate({ runId, baselineId, rules }: GateQuestion): Promise<GateVerdict> {
    const baseline = baselineId === null ? undefined : await this.#table(baselineId);
    const judged = judgeGate(await this.#table(runId), baseline, rules);
    return { run_id: runId, baseline_run_id: baselineId, ...judged };
  }

  async #compare(runIds: readonly string[]): Promise<Compared> {
    const tables: RunTable[] = [];
    for (const id of runIds) tables.push(await this.#table(id));
    const changes = tables.map((table) => table.changes).join();
    const name = runIds.join();
    const kept = this.#compared.get(name);
    this.#compared.delete(name);
    const compared = kept?.changes === changes ? kept.compared : compareTables(tables);
    this.#compared.set(name, { changes, compared });
    let samples = 0;
    for (const [other, each] of [...this.#compared].reverse()) {
      samples += each.compared.tables.reduce((sum, { keys }) => sum + keys.length, 0);
      if (samples > MAX_KEPT_SAMPLES && other !== name) this.#compared.delete(other);
    }
    return compared;
  }

  /** The table of a run, from memory if nothing has changed since it was read. */
  async #tableOf(row: RunRow): Promise<RunTable> {
    const kept = this.#tables.get(row.id);
    this.#tables.delete(row.id);
    const table = kept?.changes === row.changes ? kept.table : readTable(this.db, row);
    this.#tables.set(row.id, { changes: row.changes, table });
    table.catch(() => this.#tables.delete(row.id));
    await table;
    let samples = 0;
    for (const [id, each] of [...this.#tables].reverse()) {
      samples += (await each.table).keys.length;
      if (samples > MAX_KEPT_SAMPLES && id !== row.id) this.#tables.delete(id);
    }
    return table;
  }

  /** Adds the texts of a page of samples. */
  async #complete(
    rows: readonly ComparedRow[],
    tables: readonly RunTable[],
    chosen: ChosenMetric,
  ): Promise<SampleComparison[]> {
    if (rows.length === 0) return [];
    const ids = tables.map(({ run }) => run.id);
    const keys = [...new Set(rows.map(({ key }) => key))];
    const results = await listFirstRepeats(this.db, ids, keys);
    const found = new Map(results.map((result) => [nameOf(result.runId, result), result]));
    return rows.flatMap((row) => {
      const own = ids.map((id) => found.get(nameOf(id, { sampleKey: row.key, sampleId: row.sampleId })));
      const sample = own.find((result) => result !== undefined)?.sample;
      return sample ? [toSampleComparison(row, own, sample, tables, chosen)] : [];
    });
  }
}

const nameOf = (runId: string, { sampleKey, sampleId }: Pick<ResultRow, "sampleKey" | "sampleId">): string =>
  `${runId} ${sampleId} ${sampleKey}`;

const tagsOf = ({ rows }: Pick<ComparedRow, "rows">, tables: readonly RunTable[]): readonly string[] => {
  const run = rows.findIndex((row) => row !== undefined);
  return tables[run]?.tags[rows[run] ?? -1] ?? [];
};

/** The longest mean time of a sample's answers in any run; NaN if none was timed. */
const slowest = ({ rows }: Row, tables: readonly RunTable[]): number => {
  const times = tables.map(({ took }, run) => took.at(rows[run] ?? -1)).filter((ms) => !Number.isNaN(ms));
  return times.length === 0 ? Number.NaN : Math.max(...times);
};

/** The verdict, or if it can't be compared, the first criterion that can. */
const defaultMetric = (comparisons: readonly RunComparison[]): { metric: string; evaluator?: string } => {
  const known = comparisons.flatMap(({ metrics }) => metrics.filter(({ verdict }) => verdict !== "not_comparable"));
  const criterion = known.find(({ shadow }) => !shadow) ?? known[0];
  if (!criterion?.evaluator || known.some(({ metric }) => metric === VERDICT)) return { metric: VERDICT };
  return { metric: criterion.metric, evaluator: criterion.evaluator };
};

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);

const toSampleComparison = (
  row: ComparedRow,
  results: readonly (ResultRow | undefined)[],
  { id, tags, group, input, references }: ResultRow["sample"],
  tables: readonly RunTable[],
  { isShared }: ChosenMetric,
): SampleComparison => ({
  ...{ sample_id: id, sample_key: row.key, tags, group, references, change: row.change },
  input: input as SampleResult["input"],
  runs: tables.map((table, run) => {
    const [own, result, value = Number.NaN] = [row.rows[run], results[run], row.values[run]];
    const difference = run === 0 || !isShared[run] ? Number.NaN : value - (row.values[0] ?? Number.NaN);
    const repeats = own === undefined ? 0 : (table.results[own] ?? 0);
    const errors = own === undefined ? 0 : (table.errors[own] ?? 0);
    return {
      run_id: table.run.id,
      state: own === undefined ? "missing" : errors === repeats ? "error" : "done",
      result_id: result?.id ?? null,
      ...{ repeats, errors },
      pass_rate: own === undefined ? null : orNull(table.passes.at(own)),
      ...{ value: orNull(value), difference: orNull(difference) },
      output: (result?.output as Output | null | undefined)?.text ?? null,
      failure: (result?.failure ?? null) as FailureKind | null,
    };
  }),
});

const compareTables = (tables: RunTable[]): Compared => {
  const [baseline, ...others] = tables;
  if (!baseline) throw new Error("A comparison needs a baseline.");
  return {
    tables,
    runs: tables.map((table) => toComparedRun(table, table === baseline ? undefined : baseline)),
    comparisons: compareRuns(baseline, others),
    rows: rowsOf(tables),
  };
};

const toComparedRun = (table: RunTable, baseline: RunTable | undefined): ComparedRun => {
  const { run, keys, expected, latency, tokens, scored, results } = table;
  const { values, groups } = knownValues(table, table.passes);
  const { value, interval } = estimateMean(values, { groups, range: [0, 1] });
  const deciding = [...scored.values()].flatMap(({ decides, evaluator }) => (decides ? [evaluator] : []));
  return {
    ...{ run_id: run.id, name: run.name, state: run.state, latency, tokens },
    model: run.pins.target.kind === "stored" ? null : (run.pins.target.model ?? null),
    dataset: run.pins.dataset && {
      ...{ id: run.pins.dataset.id, name: run.pins.dataset.name, revision: run.pins.dataset.revision },
    },
    evaluators: [...new Set(deciding)],
    repeats: run.pins.repeats,
    ...{ samples: keys.length, missing: Math.max(0, expected.samples - keys.length) },
    errors: table.errors.filter((errors, sample) => errors === results[sample]).length,
    pass_rate: value === null ? null : { value, interval },
    change: baseline ? changeOf(table, baseline) : null,
  };
};

const changeOf = (
  { latency: now, tokens }: RunTable,
  { latency: before, tokens: baseline }: RunTable,
): ComparedRun["change"] => {
  if (!now || !before || !tokens || !baseline) return null;
  return {
    ttft_p50: now.ttft.p50 - before.ttft.p50,
    ttft_p95: now.ttft.p95 - before.ttft.p95,
    latency_p50: now.total.p50 - before.total.p50,
    latency_p95: now.total.p95 - before.total.p95,
    prompt_tokens: tokens.prompt - baseline.prompt,
    completion_tokens: tokens.completion - baseline.completion,
  };
};

const unknownMetric = (tables: readonly RunTable[], metric: string, evaluator: string | undefined): AppError => {
  const known = [...(tables[0]?.scored.values() ?? [])].map((scored) => `${scored.metric} by ${scored.evaluator}`);
  const asked = evaluator === undefined ? metric : `${metric} by ${evaluator}`;
  const message = `The baseline has no scores for ${asked}. It has: ${[VERDICT, ...new Set(known)].join(", ")}.`;
  return new AppError("invalid_request", message, { param: "metric" });
};
