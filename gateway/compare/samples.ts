import { type CompareQuery, type SampleComparison, VERDICT } from "./contract";
import { haveSameVerdict } from "./pairs";
import type { Column, RunTable, Scored } from "./table";

type Show = NonNullable<CompareQuery["show"]>;

/** A sample of at least one of the compared runs. */
export interface Row {
  key: string;
  sampleId: string;
  /** Its row in each run's table; undefined: missing. */
  rows: (number | undefined)[];
}

/** All samples of the runs, by key and content. A sample that changed between revisions has one row per version. */
export const rowsOf = (tables: readonly RunTable[]): Row[] => {
  const rows = new Map<string, Row>();
  tables.forEach(({ keys, sampleIds }, run) => {
    keys.forEach((key, row) => {
      const sampleId = sampleIds[row] ?? "";
      const known = rows.getOrInsertComputed(`${sampleId} ${key}`, () => ({ key, sampleId, rows: [] }));
      known.rows[run] = row;
    });
  });
  return [...rows.values()];
};

/** The metric that the list of samples shows: a column from each run, and the sign of an improvement. */
export interface ChosenMetric {
  metric: string;
  evaluator: string | null;
  /** 1: higher is better, −1: lower is better. */
  sign: 1 | -1;
  /** undefined: that run has no scores on the baseline's scale. */
  columns: (Column | undefined)[];
  /** Whether the values of each run are on the baseline's scale. */
  isShared: boolean[];
}

/**
 * Finds the columns of a metric in all runs, on the scale that most runs share with the baseline. undefined if the
 * baseline has no such scores.
 */
export const chooseMetric = (
  tables: readonly RunTable[],
  metric: string,
  evaluator: string | undefined,
): ChosenMetric | undefined => {
  const [baseline] = tables;
  if (!baseline) return undefined;
  if (metric === VERDICT) {
    const isShared = tables.map((table) => haveSameVerdict(baseline, table));
    return { metric, evaluator: null, sign: 1, columns: tables.map(({ passes }) => passes), isShared };
  }
  const candidates = [...baseline.scored].filter(
    ([, scored]) => scored.metric === metric && (evaluator === undefined || scored.evaluator === evaluator),
  );
  const sharedBy = ([scale]: [string, Scored]) => tables.filter(({ scored }) => scored.has(scale)).length;
  const [best] = candidates.sort((a, b) => sharedBy(b) - sharedBy(a) || Number(b[1].decides) - Number(a[1].decides));
  if (!best) return undefined;
  const [scale, { evaluator: name, criterion }] = best;
  return {
    ...{ metric, evaluator: name, sign: criterion.direction === "higher_is_better" ? 1 : -1 },
    columns: tables.map(({ scored }) => scored.get(scale)?.values),
    isShared: tables.map(({ scored }) => scored.has(scale)),
  };
};

/** A row with the values that the list is sorted and filtered by. */
export interface ComparedRow extends Row {
  /** The value in each run, NaN without one. */
  values: number[];
  change: SampleComparison["change"];
  /** The largest loss compared with the baseline; a gain is negative. NaN if no run can be compared. */
  loss: number;
  /** The largest gain; a loss is negative. NaN if no run can be compared. */
  gain: number;
  shows: ReadonlySet<Show>;
}

const valueIn = ({ rows }: Row, { columns }: ChosenMetric, run: number): number => {
  const row = rows[run];
  return row === undefined ? Number.NaN : (columns[run]?.at(row) ?? Number.NaN);
};

/** Compares the values of one row with the baseline's. */
export const compareRow = (row: Row, tables: readonly RunTable[], chosen: ChosenMetric): ComparedRow => {
  const values = tables.map((_, run) => valueIn(row, chosen, run));
  const [before = Number.NaN] = values;
  const gains = values.flatMap((value, run) => {
    const gain = run > 0 && chosen.isShared[run] ? chosen.sign * (value - before) : Number.NaN;
    return Number.isNaN(gain) ? [] : [gain];
  });
  const [isWorse, isBetter] = [gains.some((gain) => gain < 0), gains.some((gain) => gain > 0)];
  const isPresent = tables.map((_, run) => row.rows[run] !== undefined);
  const isFailed = tables.some((table, run) => {
    const own = row.rows[run];
    return run > 0 && own !== undefined && table.passes.at(own) < 1;
  });
  const shows = new Set<Show>(["all"]);
  if (isWorse || isBetter) shows.add("changed");
  if (isWorse) shows.add("worse");
  if (isBetter) shows.add("better");
  if (isFailed) shows.add("failed");
  if (values.some((value, run) => isPresent[run] && Number.isNaN(value))) shows.add("errors");
  if (isPresent.includes(false)) shows.add("missing");
  const known = isWorse ? (isBetter ? "mixed" : "worse") : isBetter ? "better" : "same";
  if (gains.length === 0) return { ...row, values, change: "unknown", loss: Number.NaN, gain: Number.NaN, shows };
  return { ...row, values, change: known, loss: -Math.min(...gains), gain: Math.max(...gains), shows };
};

/** Sorts by the largest loss, or for `better` by the largest gain; rows that can't be compared come last. */
export const sortRows = (rows: readonly ComparedRow[], show: Show): ComparedRow[] => {
  const rankOf = ({ loss, gain }: ComparedRow): number =>
    Number.isNaN(loss) ? Number.NEGATIVE_INFINITY : show === "better" ? gain : loss;
  const ranked = rows.map((row) => ({ row, rank: rankOf(row) }));
  // Rows without a rank compare as NaN, which keeps their order.
  return ranked.sort((a, b) => b.rank - a.rank || 0).map(({ row }) => row);
};

/** The number of rows for each value of `show`. */
export const countRows = (rows: readonly ComparedRow[]): Record<Show, number> => {
  const counts = { changed: 0, worse: 0, better: 0, failed: 0, errors: 0, missing: 0, all: 0 };
  for (const { shows } of rows) for (const show of shows) counts[show]++;
  return counts;
};
