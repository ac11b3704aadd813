import type { RunFigures } from "./contract";
import type { Rate } from "./statistics-contract";

/**
 * A run's figures without intervals and detectable differences while results are missing. Until then, the results are
 * not a random sample, because samples run in the dataset's order.
 */
export const withoutEarlyIntervals = (figures: RunFigures): RunFigures => {
  const { progress, verdict, statistics, segments } = figures;
  if (progress.done >= progress.total) return figures;
  const rateOnly = (rate: Rate | null): Rate | null => rate && { value: rate.value, interval: null };
  return {
    ...figures,
    verdict: verdict && { ...verdict, pass_rate: rateOnly(verdict.pass_rate), detectable_difference: null },
    statistics: statistics.map((statistic) => ({
      ...statistic,
      ...{ interval: null, pass_rate: rateOnly(statistic.pass_rate), detectable_difference: null },
    })),
    segments: segments.map((segment) => ({ ...segment, pass_rate: rateOnly(segment.pass_rate) })),
  };
};
