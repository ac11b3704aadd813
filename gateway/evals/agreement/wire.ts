import type { Span } from "../statistics/spans";
import { toCodePoints } from "./offsets";
import type { AgreementReport } from "./report";

/** A report as JSON for scripts, in the words of the API. */
export const reportToWire = ({
  isThresholdFitted,
  baseRate,
  balancedAccuracy,
  f1OfOne,
  f1OfZero,
  ...same
}: AgreementReport) => ({
  ...same,
  base_rate: baseRate,
  threshold_is_fitted: isThresholdFitted,
  balanced_accuracy: balancedAccuracy,
  f1_of_one: f1OfOne,
  f1_of_zero: f1OfZero,
});

/** What a scorer says of one row. */
export interface Prediction {
  id: string;
  answer: string;
  score: number;
  decision: boolean;
  /** Offsets in UTF-16; left out: the scorer gives none. */
  spans?: readonly Span[];
}

/** A line of a file of predictions: `id`, `score`, `label`, and `spans` as pairs of code point offsets. */
export const predictionLine = ({ id, answer, score, decision, spans }: Prediction): string => {
  const pairs = spans?.map((span) => toCodePoints(answer, span)).map(({ start, end }) => [start, end]);
  return `${JSON.stringify({ id, score, label: Number(decision), spans: pairs })}\n`;
};
