import type { ThresholdOutcome } from "./contract";

/** The highest score of each question. Null if nothing was found: such a question is refused at every threshold. */
export interface BestScores {
  answerable: readonly (number | null)[];
  unanswerable: readonly (number | null)[];
}

const STEPS_PER_UNIT = 100;

/** Fraction of the questions that are answered at this threshold. */
const answeredShare = (scores: readonly (number | null)[], threshold: number): number =>
  scores.filter((score) => score !== null && score >= threshold).length / scores.length;

export const outcomeAt = ({ answerable, unanswerable }: BestScores, threshold: number): ThresholdOutcome => ({
  threshold,
  false_answers: answeredShare(unanswerable, threshold),
  false_refusals: 1 - answeredShare(answerable, threshold),
});

/**
 * The outcomes of thresholds in steps of 0.01, from one that answers every question with a score to one that answers none.
 * Empty if there are no questions of one kind, or nothing was found.
 */
export const thresholdCurve = (scores: BestScores): ThresholdOutcome[] => {
  const found = [...scores.answerable, ...scores.unanswerable].filter((score) => score !== null);
  if (scores.answerable.length === 0 || scores.unanswerable.length === 0 || found.length === 0) return [];
  const first = Math.floor(Math.min(...found) * STEPS_PER_UNIT);
  const last = Math.floor(Math.max(...found) * STEPS_PER_UNIT) + 1;
  return Array.from({ length: last - first + 1 }, (_, step) => outcomeAt(scores, (first + step) / STEPS_PER_UNIT));
};

/** Mean of two fractions: answerable questions that are answered, and unanswerable questions that are refused. */
export const balancedAccuracyOf = ({ false_answers, false_refusals }: ThresholdOutcome): number =>
  1 - (false_answers + false_refusals) / 2;

/** The outcome with the highest balanced accuracy, or the middle one of equal outcomes; null for an empty curve. */
export const bestOutcome = (curve: readonly ThresholdOutcome[]): ThresholdOutcome | null => {
  const highest = Math.max(...curve.map(balancedAccuracyOf));
  const best = curve.filter((outcome) => balancedAccuracyOf(outcome) === highest);
  return best[Math.floor(best.length / 2)] ?? null;
};
