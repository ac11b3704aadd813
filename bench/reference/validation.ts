import { bestThreshold } from "../../gateway/evals/statistics/auroc";
import { foldsOf } from "./folds";
import { type Example, type FitOptions, fitLogistic, type LogisticModel, logit } from "./logistic";

export interface GroupedExample extends Example {
  group: string;
}

const FOLDS = 10;
/** Folds within the others of a fold, for its threshold. */
const INNER_FOLDS = 5;

/** Log-odds of each example by a model that has not seen its group. */
export const heldOutLogits = (
  examples: readonly GroupedExample[],
  options: FitOptions,
  seed: number,
  count = FOLDS,
): number[] => {
  const folds = foldsOf(
    examples.map(({ group }) => group),
    count,
    seed,
  );
  const models = Array.from({ length: count }, (_, fold) =>
    fitLogistic(
      examples.filter((_, at) => folds[at] !== fold),
      options,
    ),
  );
  return examples.map(({ features }, at) => {
    const model = models[folds[at] ?? 0];
    return model ? logit(model, features) : 0;
  });
};

/**
 * Moves the bias so that 0 is the threshold that balances sensitivity and specificity best. The threshold is that of
 * scores held out from the models' fits; of near-equal ones the middle, which a single example can't move far.
 */
export const centreBias = (
  model: LogisticModel,
  examples: readonly GroupedExample[],
  logits: readonly number[],
): LogisticModel => ({ ...model, bias: model.bias - stableThreshold(examples, logits) });

/** How much balanced accuracy may be lost to the best threshold, to be counted as near-equal. */
const NEAR_EQUAL = 0.01;

export const stableThreshold = (examples: readonly GroupedExample[], logits: readonly number[]): number => {
  const labels = examples.map(({ label }) => label === 1);
  const candidates = [...new Set(logits)].sort((a, b) => a - b);
  const cuts = candidates.slice(1).map((value, index) => (value + (candidates[index] ?? value)) / 2);
  const figures = cuts.map((cut) => balancedAccuracyAt(labels, logits, cut));
  const best = Math.max(...figures);
  const good = cuts.filter((_, index) => (figures[index] ?? 0) >= best - NEAR_EQUAL);
  return good.length > 0 ? good.reduce((sum, cut) => sum + cut, 0) / good.length : bestThreshold(labels, logits);
};

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

/** Balanced accuracy of scores that need no fit, by thresholds that come from the other folds; the mean of the seeds. */
export const heldOutAccuracy = (
  rows: readonly { group: string; label: 0 | 1 }[],
  scores: readonly number[],
  seeds: readonly number[],
): number => {
  const labels = rows.map(({ label }) => label === 1);
  const accuracies = seeds.map((seed) => {
    const folds = foldsOf(
      rows.map(({ group }) => group),
      FOLDS,
      seed,
    );
    const thresholds = Array.from({ length: FOLDS }, (_, fold) => {
      const others = folds.flatMap((own, at) => (own === fold ? [] : [at]));
      return bestThreshold(
        others.map((at) => labels[at] ?? false),
        others.map((at) => scores[at] ?? 0),
      );
    });
    const margins = scores.map((score, at) => score - (thresholds[folds[at] ?? 0] ?? 0));
    return balancedAccuracyAt(labels, margins, 0);
  });
  return accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length;
};

/**
 * Held-out log-odds with held-out thresholds: for each fold, model and threshold come from the other folds alone, the
 * threshold from scores that are held out within them. 0 is the threshold of all.
 */
export const nestedLogits = (examples: readonly GroupedExample[], options: FitOptions, seed: number): number[] => {
  const folds = foldsOf(
    examples.map(({ group }) => group),
    FOLDS,
    seed,
  );
  const models = Array.from({ length: FOLDS }, (_, fold) => {
    const others = examples.filter((_, at) => folds[at] !== fold);
    return centreBias(fitLogistic(others, options), others, heldOutLogits(others, options, seed + 1, INNER_FOLDS));
  });
  return examples.map(({ features }, at) => {
    const model = models[folds[at] ?? 0];
    return model ? logit(model, features) : 0;
  });
};
