import type { Calibration } from "./statistics/calibration";
import type { CriterionSummary } from "./statistics/criterion";
import type { Figure } from "./statistics/interval";
import type { Agreement, Rate, Statistic } from "./statistics-contract";

export const toRate = ({ value, interval }: Figure): Rate | null => (value === null ? null : { value, interval });

export const toAgreement = (calibration: Calibration): Agreement => ({
  labels: calibration.labels,
  kappa: toRate(calibration.kappa),
  sensitivity: toRate(calibration.sensitivity),
  specificity: toRate(calibration.specificity),
  corrected_pass_rate: calibration.correctedPassRate && toRate(calibration.correctedPassRate),
});

export const toStatistic = (
  { errors, mean, passRate, bounds, passAtK, detectableChange, calibration }: CriterionSummary,
  of: Pick<Statistic, "metric" | "direction" | "criterion_hash" | "evaluator" | "shadow">,
): Statistic => ({
  ...of,
  n: mean.n,
  errors,
  mean: mean.value,
  interval: mean.interval,
  pass_rate: passRate && toRate(passRate),
  clusters: mean.clusters,
  bounds,
  pass_at_k: passAtK,
  detectable_difference: detectableChange,
  agreement: calibration && toAgreement(calibration),
});
