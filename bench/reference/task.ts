import { auroc } from "../../gateway/evals/statistics/auroc";
import { createRandom } from "../../gateway/evals/statistics/random";

/** A labelled answer with everything that a fit needs. */
export interface FitRow {
  /** Dataset of the answer. Leaving out a whole dataset shows how well a model generalises to other data. */
  set: string;
  group: string;
  label: 0 | 1;
}

/** A fitted model. */
interface Fitted<Row> {
  /** The log-odds of an answer. An answer passes if they are at least 0. */
  logitOf(row: Row): number;
  /** The TypeScript file that holds the model. */
  source: string;
}

/** How a criterion is fitted, and to which answers. */
export interface Task<Row extends FitRow> {
  name: "correctness" | "faithfulness";
  /** Path of the file that holds the model. */
  out: string;
  rows: readonly Row[];
  fit(rows: readonly Row[]): Fitted<Row>;
}

/** Balanced accuracy: the mean of the fraction of positives at or above the threshold and of negatives below it. */
const balancedAccuracyAt = (labels: readonly boolean[], scores: readonly number[], threshold: number): number => {
  let [found, positives, spared] = [0, 0, 0];
  labels.forEach((label, at) => {
    const decision = (scores[at] ?? 0) >= threshold;
    if (label) positives++;
    if (label && decision) found++;
    if (!label && !decision) spared++;
  });
  return (found / positives + spared / (labels.length - positives)) / 2;
};

/** Thresholds are near-equal if their balanced accuracy is within this of the best. */
const NEAR_EQUAL = 0.01;

/**
 * The threshold with the best balanced accuracy, averaged over the datasets so that a large one doesn't dominate.
 * Returns the mean of the near-equal thresholds, which no single answer can shift by much.
 */
export const thresholdOf = (rows: readonly FitRow[], logits: readonly number[]): number => {
  const sets = [...Map.groupBy(rows.keys(), (at) => rows[at]?.set).values()].map((places) => ({
    labels: places.map((at) => rows[at]?.label === 1),
    logits: places.map((at) => logits[at] ?? 0),
  }));
  const candidates = [...new Set(logits)].sort((a, b) => a - b);
  const cuts = candidates.slice(1).map((value, index) => (value + (candidates[index] ?? value)) / 2);
  const figures = cuts.map((cut) =>
    sets.reduce((sum, each) => sum + balancedAccuracyAt(each.labels, each.logits, cut) / sets.length, 0),
  );
  const best = Math.max(...figures);
  const good = cuts.filter((_, index) => (figures[index] ?? 0) >= best - NEAR_EQUAL);
  return good.reduce((sum, cut) => sum + cut, 0) / good.length;
};

const FOLDS = 10;

/** Assigns each item a fold, 0…`count` − 1. All items of a group get the same fold; the seed decides which. */
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

/** Scores every row with a model that was fitted to the other folds. */
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

/** AUROC and balanced accuracy by dataset. */
export type Figures = ReadonlyMap<string, { auroc: number; accuracy: number }>;

/** The key of the figures over all datasets. */
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

/** Ten-fold cross-validation over groups, averaged over the seeds. Models and thresholds come from the other folds. */
export const heldOut = <Row extends FitRow>(
  { rows, fit }: Pick<Task<Row>, "rows" | "fit">,
  seeds: readonly number[],
): Figures => {
  const runs = seeds.map((seed) => byOtherFolds(rows, seed, (others) => fit(others).logitOf));
  return new Map([...setsOf(rows), ALL].map((set) => [set, figuresOf(rows, runs, set)]));
};

/** Figures of each dataset with a model that was fitted to the other datasets. */
export const leftOut = <Row extends FitRow>({ rows, fit }: Pick<Task<Row>, "rows" | "fit">): Figures =>
  new Map(
    setsOf(rows).map((set) => {
      const { logitOf } = fit(rows.filter((row) => row.set !== set));
      return [set, figuresOf(rows, [rows.map(logitOf)], set)];
    }),
  );
