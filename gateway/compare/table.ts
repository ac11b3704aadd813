import type { Reads } from "../../db/client";
import { type ComparedFigure, listResultFigures } from "../../db/result-figures";
import { findCriteria, listFigures, type ScaledFigure } from "../../db/results";
import type { RunRow } from "../../db/runs";
import { Garbage } from "../../lib/garbage";
import type { Criterion, RunPins } from "../evals/contract";
import { Latencies } from "../evals/segments";
import type { Range } from "../evals/statistics/interval";
import type { RunLatency } from "../evals/statistics-contract";
import { currentOf } from "../evals/summary";

/** Number of results read per statement. */
const PAGE = 2000;
/** About as many bytes as reading a result with its scores leaves as garbage, which is collected after 8 MiB. */
const RESULT_BYTES = 2000;
const GARBAGE_BYTES = 8 * 1_048_576;

/** One number per sample: the mean over its repeats; NaN if no repeat has a value. */
export class Column {
  readonly #sums: number[] = [];
  readonly #counts: number[] = [];

  add(sample: number, value: number): void {
    this.#sums[sample] = (this.#sums[sample] ?? 0) + value;
    this.#counts[sample] = (this.#counts[sample] ?? 0) + 1;
  }

  /** Notes a score without a value. */
  addUnknown(sample: number): void {
    this.#counts[sample] ??= 0;
  }

  /** Whether the sample was scored, even if without a value. */
  has(sample: number): boolean {
    return this.#counts[sample] !== undefined;
  }

  at(sample: number): number {
    const count = this.#counts[sample] ?? 0;
    return count === 0 ? Number.NaN : (this.#sums[sample] ?? 0) / count;
  }

  /** The mean if each of the `repeats` that has no value had `value`. */
  filled(sample: number, repeats: number, value: number): number {
    const missing = this.missing(sample, repeats);
    return ((this.#sums[sample] ?? 0) + missing * value) / ((this.#counts[sample] ?? 0) + missing);
  }

  /** How many of the `repeats` have no value. */
  missing(sample: number, repeats: number): number {
    return Math.max(0, repeats - (this.#counts[sample] ?? 0));
  }

  /** No sample has a value. */
  get isEmpty(): boolean {
    return !this.#counts.some((count) => count > 0);
  }
}

/** The values of one criterion that are on one scale: the same evaluator version, definition and judge. */
export interface Scored {
  metric: string;
  /** `name@version` */
  evaluator: string;
  evaluatorHash: string;
  judge: string | null;
  criterion: Criterion;
  criterionHash: string;
  /** Whether the verdict of any result depends on it. */
  decides: boolean;
  values: Column;
  passes: Column;
}

export const rangeOf = ({ criterion: { scale } }: Scored): Range => [scale.min, scale.max];

/** The identity of a scale. Values on different scales are never compared. */
export const scaleOf = ({
  metric,
  evaluator,
  evaluatorHash,
  judge,
  criterionHash,
}: Pick<Scored, "metric" | "evaluator" | "evaluatorHash" | "judge" | "criterionHash">): string =>
  JSON.stringify([metric, evaluator, evaluatorHash, judge, criterionHash]);

/** A run's results without their texts: one row per sample, in the order of the samples' keys. */
export interface RunTable {
  run: Pick<RunRow, "id" | "name" | "state" | "datasetId"> & { pins: RunPins };
  /** The run's `changes` when it was read. */
  changes: number;
  /** Number of samples and results that the complete run has. */
  expected: { samples: number; results: number };
  keys: string[];
  sampleIds: string[];
  groups: (string | null)[];
  tags: string[][];
  /** Ended results of each sample, and how many of them are errors: without an output, or because an evaluator failed. */
  results: number[];
  errors: number[];
  /** Number of results that have no output, and how many of them because the sample can't be evaluated. */
  failed: number;
  invalid: number;
  passes: Column;
  /** Milliseconds that the outputs took which were generated for this run. */
  took: Column;
  /** By `scaleOf`, in order of first appearance. */
  scored: Map<string, Scored>;
  latency: RunLatency | null;
  /** Sorted latencies in milliseconds of the outputs that were generated for this run. */
  times: { total: Float64Array; ttft: Float64Array };
  tokens: { prompt: number; completion: number } | null;
}

/** Reads a run's results and scores, except results that haven't ended. */
export const readTable = async (db: Reads, row: RunRow): Promise<RunTable> => {
  const pins = row.pins as unknown as RunPins;
  const total = row.progress?.total ?? 0;
  const table: RunTable = {
    run: { id: row.id, name: row.name, state: row.state, datasetId: row.datasetId, pins },
    changes: row.changes,
    expected: { samples: Math.ceil(total / pins.repeats), results: total },
    ...{ keys: [], sampleIds: [], groups: [], tags: [], results: [], errors: [], failed: 0, invalid: 0 },
    ...{ passes: new Column(), took: new Column(), scored: new Map(), latency: null, tokens: null },
    times: { total: new Float64Array(), ttft: new Float64Array() },
  };
  const latencies = new Latencies();
  const tokens = { prompt: 0, completion: 0 };
  const garbage = new Garbage(GARBAGE_BYTES);
  for (let cursor: ComparedFigure | undefined; ; ) {
    const page = await listResultFigures(db, row.id, { limit: PAGE, cursor });
    const ended = page.filter(({ state }) => state === "done" || state === "error");
    const samples = new Map(ended.map((result) => [result.id, addResult(table, result)]));
    for (const result of ended) {
      latencies.add(result);
      if (result.totalMs === null) continue;
      tokens.prompt += result.promptTokens ?? 0;
      tokens.completion += result.completionTokens ?? 0;
    }
    if (samples.size > 0) await addScores(db, table, samples);
    cursor = page.at(-1);
    if (page.length < PAGE) break;
    garbage.note(page.length * RESULT_BYTES);
  }
  dropUnnamed(table.scored);
  const { ttft, total: totals } = latencies;
  const made = totals.length;
  return {
    ...table,
    latency: latencies.summary(),
    times: { total: Float64Array.from(totals).sort(), ttft: Float64Array.from(ttft).sort() },
    tokens: made === 0 ? null : { prompt: tokens.prompt / made, completion: tokens.completion / made },
  };
};

/** A judge that failed is not named, so its errors look like another judge's. They are left out if it has scores, too. */
const dropUnnamed = (scored: RunTable["scored"]): void => {
  const nameOf = (each: Scored) => scaleOf({ ...each, judge: null });
  const named = new Set([...scored.values()].filter(({ values }) => !values.isEmpty).map(nameOf));
  for (const [scale, each] of scored) if (each.values.isEmpty && named.has(nameOf(each))) scored.delete(scale);
};

/** Adds a result to the last row, or to a new one. Returns the row. */
const addResult = (table: RunTable, result: ComparedFigure): number => {
  const { sampleKey, sampleId, group, tags, passed, state, failure } = result;
  if (state === "error") {
    table.failed++;
    if (failure === "invalid_sample") table.invalid++;
  }
  const isNew = table.keys.at(-1) !== sampleKey;
  if (isNew) {
    table.keys.push(sampleKey);
    table.sampleIds.push(sampleId);
    table.groups.push(group);
    table.tags.push(tags);
    table.results.push(0);
    table.errors.push(0);
  }
  const sample = table.keys.length - 1;
  table.results[sample] = (table.results[sample] ?? 0) + 1;
  if (result.totalMs !== null) table.took.add(sample, result.totalMs);
  if (passed !== null) table.passes.add(sample, Number(passed));
  else if (failure !== null) table.errors[sample] = (table.errors[sample] ?? 0) + 1;
  return sample;
};

/** Adds the current scores of these results. `samples` has the row of each result by its id. */
const addScores = async (db: Reads, table: RunTable, samples: ReadonlyMap<string, number>): Promise<void> => {
  const figures = await listFigures(db, [...samples.keys()]);
  const hashes = new Set(figures.map(({ criterionHash }) => criterionHash));
  const criteria = (await findCriteria(db, [...hashes])) as Map<string, unknown> as Map<string, Criterion>;
  for (const [resultId, own] of Map.groupBy(figures, (figure) => figure.resultId)) {
    const sample = samples.get(resultId) ?? -1;
    for (const { figure, decides } of currentOf(own)) {
      const criterion = criteria.get(figure.criterionHash);
      if (criterion) addScore(table, sample, figure, criterion, decides);
    }
  }
};

const addScore = (
  { scored }: RunTable,
  sample: number,
  figure: ScaledFigure,
  criterion: Criterion,
  decides: boolean,
): void => {
  const { metric, evaluator, evaluatorHash, judge, criterionHash, value, passed } = figure;
  const column = scored.getOrInsertComputed(scaleOf(figure), () => ({
    ...{ metric, evaluator, evaluatorHash, judge, criterion, criterionHash, decides },
    ...{ values: new Column(), passes: new Column() },
  }));
  column.decides ||= decides;
  if (value === null) column.values.addUnknown(sample);
  else column.values.add(sample, value);
  if (passed !== null) column.passes.add(sample, Number(passed));
};

/**
 * Whether a criterion applies to the sample, as far as these runs show: one of them scored it, or none has a result that
 * could have been scored. Faithfulness, for example, doesn't apply to a sample without contexts.
 */
export const appliesTo = (rows: readonly { table: RunTable; scored: Scored | undefined; row: number }[]): boolean =>
  rows.some(({ scored, row }) => !scored || scored.values.has(row)) ||
  rows.every(({ table, row }) => table.errors[row] === table.results[row]);

/** The values of a column with their groups, without the samples that have none. */
export const knownValues = ({ keys, groups }: RunTable, column: Column) => {
  const rows = keys.flatMap((_, row) => (Number.isNaN(column.at(row)) ? [] : [row]));
  return { values: rows.map((row) => column.at(row)), groups: rows.map((row) => groups[row] ?? null) };
};
