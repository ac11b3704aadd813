import type { Interval } from "../statistics-contract";
import { type Clusters, sumByCluster } from "./clusters";
import { studentQuantile } from "./distributions";
import { DEFAULT_LEVEL, tailOf } from "./interval";
import { mean, studentBounds } from "./mean";
import { scoreBounds } from "./wilson";

/** A standard error below this share of the mean is a rounding error and counts as 0. */
const ROUNDING = 1e-13;

/**
 * Standard error of a mean whose values depend on each other within clusters: the CR1 sandwich of a regression on a
 * constant (Liang and Zeger 1986, with the factor G / (G − 1)). null: fewer than two clusters.
 */
export const clusterRobustError = (values: ArrayLike<number>, clusters: Clusters): number | null => {
  const { count } = clusters;
  if (count < 2) return null;
  const centre = mean(values);
  const deviations = Float64Array.from(values, (value) => value - centre);
  let sum = 0;
  for (const deviation of sumByCluster(deviations, clusters)) sum += deviation ** 2;
  const standardError = Math.sqrt((count / (count - 1)) * sum) / values.length;
  return standardError > ROUNDING * Math.abs(centre) ? standardError : 0;
};

/**
 * Interval of a mean over clusters: the CR1 error and Student's t with G − 1 degrees of freedom. null if G is below 2 or
 * the clusters don't vary.
 */
export const clusterRobustInterval = (
  values: ArrayLike<number>,
  clusters: Clusters,
  level = DEFAULT_LEVEL,
): Interval | null => {
  const standardError = clusterRobustError(values, clusters);
  if (!standardError) return null;
  return { ...studentBounds(mean(values), standardError, clusters.count - 1, level), method: "cluster_robust" };
};

/**
 * Interval of a rate over clusters, for values of 0 and 1: Wilson's interval with the t quantile, and with the number of
 * independent samples that would have the CR1 error (Franco et al. 2019, "Comparative study of confidence intervals for
 * proportions in complex sample surveys"). Near 0 and 1, the interval above would be much too narrow. null if G is below
 * 2, or the rate is 0 or 1.
 */
export const clusterRobustRateInterval = (
  values: ArrayLike<number>,
  clusters: Clusters,
  level = DEFAULT_LEVEL,
): Interval | null => {
  const standardError = clusterRobustError(values, clusters);
  const rate = mean(values);
  if (standardError === null || rate === 0 || rate === 1) return null;
  const effective = Math.min(values.length, (rate * (1 - rate)) / standardError ** 2);
  const t = studentQuantile(1 - tailOf(level), clusters.count - 1);
  return { ...scoreBounds(rate, effective, t), level, method: "cluster_robust" };
};

/**
 * Ratio of a rate's variance to that of the same number of independent verdicts (Kish 1965): above 1 if values within a
 * cluster are alike, below 1 if values are means of repeats. null for fewer than two clusters, and a rate of 0 or 1.
 */
export const designEffect = (values: ArrayLike<number>, clusters: Clusters): number | null => {
  const standardError = clusterRobustError(values, clusters);
  const rate = mean(values);
  const independent = (rate * (1 - rate)) / values.length;
  return standardError === null || !(independent > 0) ? null : standardError ** 2 / independent;
};
