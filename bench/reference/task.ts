/** An answer with its label and everything a fit needs to know of it. */
export interface FitRow {
  /** Data set. Leaving out a whole set shows how a model does on a kind of data that it was not fitted to. */
  set: string;
  group: string;
  label: 0 | 1;
}

/** A fitted model. */
interface Fitted<Row> {
  /** The log-odds of an answer; it passes from 0. */
  logitOf(row: Row): number;
  /** The TypeScript file that holds the model. */
  source: string;
}

/** The data and the fit of a criterion. */
export interface Task<Row extends FitRow> {
  name: "correctness" | "faithfulness";
  /** Path of the file that holds the model. */
  out: string;
  rows: readonly Row[];
  fit(rows: readonly Row[]): Fitted<Row>;
}

/** Mean of the share of positives at or above the threshold and the share of negatives below it. */
export const balancedAccuracyAt = (
  labels: readonly boolean[],
  scores: readonly number[],
  threshold: number,
): number => {
  let [found, positives, spared] = [0, 0, 0];
  labels.forEach((label, at) => {
    const decision = (scores[at] ?? 0) >= threshold;
    if (label) positives++;
    if (label && decision) found++;
    if (!label && !decision) spared++;
  });
  return (found / positives + spared / (labels.length - positives)) / 2;
};

/** Thresholds within this balanced accuracy of the best one are near-equal. */
const NEAR_EQUAL = 0.01;

/**
 * The threshold with the best balanced accuracy, averaged over the sets so that a large set doesn't dominate. Returns the
 * mean of the near-equal thresholds, which a single answer can't move far.
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
