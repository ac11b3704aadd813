import { auroc } from "../../gateway/evals/statistics/auroc";
import { createRandom } from "../../gateway/evals/statistics/random";
import { balancedAccuracyAt, type FitRow, type Task } from "./task";

const FOLDS = 10;

/** The fold of each item, 0…`count` − 1. Items of a group share one; the seed decides which. */
export const foldsOf = (groups: readonly string[], count: number, seed: number): number[] => {
  const names = [...new Set(groups)].sort();
  const random = createRandom(seed);
  for (let last = names.length - 1; last > 0; last--) {
    const other = random.nextBelow(last + 1);
    [names[last], names[other]] = [names[other] ?? "", names[last] ?? ""];
  }
  const foldOf = new Map(names.map((name, place) => [name, place % count]));
  return groups.map((group) => foldOf.get(group) ?? 0);
};

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Scores of every row by what was learned from the other folds' rows. */
const byOtherFolds = <Row extends FitRow>(
  rows: readonly Row[],
  seed: number,
  learn: (others: readonly Row[]) => (row: Row) => number,
): number[] => {
  const folds = foldsOf(
    rows.map(({ set, group }) => `${set}/${group}`),
    FOLDS,
    seed,
  );
  const scorers = Array.from({ length: FOLDS }, (_, fold) => learn(rows.filter((_, at) => folds[at] !== fold)));
  return rows.map((row, at) => scorers[folds[at] ?? 0]?.(row) ?? 0);
};

/** AUROC and balanced accuracy, by set. */
export type Figures = ReadonlyMap<string, { auroc: number; accuracy: number }>;

/** The rows of all sets together. */
export const ALL = "all rows";

const figuresOf = (rows: readonly FitRow[], runs: readonly (readonly number[])[], set: string) => {
  const own = rows.flatMap((row, at) => (row.set === set || set === ALL ? [at] : []));
  const labels = own.map((at) => rows[at]?.label === 1);
  const scores = runs.map((run) => own.map((at) => run[at] ?? 0));
  return {
    auroc: mean(scores.map((each) => auroc(labels, each) ?? Number.NaN)),
    accuracy: mean(scores.map((each) => balancedAccuracyAt(labels, each, 0))),
  };
};

export const setsOf = (rows: readonly FitRow[]): string[] => [...new Set(rows.map(({ set }) => set))];

/** Cross-validation over groups in ten folds, the mean of the seeds. Models and thresholds come from the other folds. */
export const heldOut = <Row extends FitRow>(
  { rows, fit }: Pick<Task<Row>, "rows" | "fit">,
  seeds: readonly number[],
): Figures => {
  const runs = seeds.map((seed) => byOtherFolds(rows, seed, (others) => fit(others).logitOf));
  return new Map([...setsOf(rows), ALL].map((set) => [set, figuresOf(rows, runs, set)]));
};

/** Figures of each set by a model that was fitted to the other sets. */
export const leftOut = <Row extends FitRow>({ rows, fit }: Pick<Task<Row>, "rows" | "fit">): Figures =>
  new Map(
    setsOf(rows).map((set) => {
      const { logitOf } = fit(rows.filter((row) => row.set !== set));
      return [set, figuresOf(rows, [rows.map(logitOf)], set)];
    }),
  );
