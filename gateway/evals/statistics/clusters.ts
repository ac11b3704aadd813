import type { Interval } from "../statistics-contract";
import { studentQuantile } from "./distributions";
import { DEFAULT_LEVEL, mean, scoreBounds, studentBounds, tailOf } from "./interval";

/** The cluster of each value. Clusters are independent of each other. */
export interface Clusters {
  count: number;
  /** Whether any cluster has several values. If not, the values themselves are independent. */
  areShared: boolean;
  /** The number of each value's cluster, from 0. */
  of: Int32Array;
}

/** The group of each value, as a name or a number; null for an independent value. */
export type Groups = readonly (string | number | null)[];

/** Numbers groups in order of appearance. Each null is a separate cluster. */
export const clustersOf = (groups: Groups): Clusters => {
  const positions = new Map<string | number, number>();
  const of = new Int32Array(groups.length);
  let count = 0;
  groups.forEach((group, i) => {
    const known = group === null ? undefined : positions.get(group);
    of[i] = known ?? count++;
    if (group !== null && known === undefined) positions.set(group, of[i] ?? 0);
  });
  return { count, areShared: count < groups.length, of };
};

/** The numbers of `count` units, each once. */
export const eachOnce = (count: number): Int32Array => Int32Array.from({ length: count }, (_, unit) => unit);

/** Clusters of `count` independent values, each in its own cluster. */
export const singletons = (count: number): Clusters => ({ count, areShared: false, of: eachOnce(count) });

/** Maximum number of units in a bootstrap. More would take time without improving precision. */
const MAX_UNITS = 5000;

/**
 * Merges clusters in turn into at most 5,000 clusters, which are drawn as units. Merged independent clusters vary like
 * the original ones.
 */
export const limitClusters = (clusters: Clusters): Clusters => {
  if (clusters.count <= MAX_UNITS) return clusters;
  return { ...clusters, count: MAX_UNITS, of: clusters.of.map((cluster) => cluster % MAX_UNITS) };
};

/** The number of values in each cluster. */
export const clusterSizes = (clusters: Clusters): Float64Array =>
  sumByCluster(new Float64Array(clusters.of.length).fill(1), clusters);

/** The sum of the values in each cluster. */
export const sumByCluster = (values: ArrayLike<number>, clusters: Clusters): Float64Array => {
  const sums = new Float64Array(clusters.count);
  clusters.of.forEach((cluster, i) => {
    sums[cluster] = (sums[cluster] ?? 0) + (values[i] ?? 0);
  });
  return sums;
};

/** A standard error below this fraction of the mean is a rounding error and counts as 0. */
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
