import { AppError } from "../../../lib/errors";
import type { Interval } from "../statistics-contract";
import { bcaInterval, bcaPValue, bootstrap, sumDrawn } from "./bootstrap";
import {
  type Clusters,
  clusterRobustError,
  clusterSizes,
  clustersOf,
  limitClusters,
  singletons,
  sumByCluster,
} from "./clusters";
import { regularizedBeta, studentCdf } from "./distributions";
import {
  BOOTSTRAP_FROM,
  checkValues,
  type EstimateOptions,
  estimateMean,
  isUnvarying,
  isVerdict,
  MEAN_RESAMPLES,
} from "./estimate";
import { mean, type Range } from "./interval";
import { detectableDifference } from "./power";

/** The result of a test of the mean difference. */
interface Verdict {
  /** null if there is too little data, for example one pair. */
  interval: Interval | null;
  test: "mcnemar_exact" | "paired_t" | "paired_bootstrap" | "paired_cluster_bootstrap";
  /** Two-sided; 1 if there is too little data. */
  p: number;
}

interface PairedComparison extends Verdict {
  /** Number of pairs. */
  n: number;
  /** The number of groups that the interval and the test take into account; null if pairs are independent. */
  clusters: number | null;
  a: number;
  b: number;
  /** The mean of b minus a. */
  difference: number;
  /** Number of pairs in which b is higher than a. */
  rises: number;
  /** Number of pairs in which b is lower than a. */
  falls: number;
  /** The smallest true difference that this many pairs with the same spread detect with power 0.8; null without spread. */
  detectableDifference: number | null;
}

/** Tests the mean by resampling pairs, or whole groups of pairs. */
const resample = (differences: readonly number[], clusters: Clusters, { level, seed }: EstimateOptions): Verdict => {
  const units = limitClusters(clusters);
  const sums = sumByCluster(differences, units);
  const sizes = clusterSizes(units);
  const [distribution] = bootstrap(units.count, (drawn) => [sumDrawn(sums, drawn) / sumDrawn(sizes, drawn)], {
    resamples: MEAN_RESAMPLES,
    seed,
  });
  return {
    interval: bcaInterval(distribution, clusters, level),
    test: clusters.areShared ? "paired_cluster_bootstrap" : "paired_bootstrap",
    p: bcaPValue(distribution),
  };
};

const differenceRange = (range: Range | undefined): Range | undefined =>
  range && [range[0] - range[1], range[1] - range[0]];

/**
 * The exact two-sided p of McNemar's test (McNemar 1947) on pairs of verdicts: twice the smaller tail of the binomial
 * distribution with probability ½. `better` and `worse` count the pairs that changed. Pairs must be independent.
 */
export const mcnemarExact = (better: number, worse: number): number => {
  const fewer = Math.min(better, worse);
  const changed = better + worse;
  if (better === worse) return 1;
  // P(X ≤ k) of the binomial distribution is an incomplete beta function (Abramowitz and Stegun 26.5.24).
  return Math.min(1, 2 * regularizedBeta(0.5, changed - fewer, fewer + 1));
};

/** Chooses the test as described at `comparePairs`. `rises` and `falls` count the pairs that changed. */
const judge = (
  differences: readonly number[],
  clusters: Clusters,
  { isBinary, rises, falls }: { isBinary: boolean; rises: number; falls: number },
  options: EstimateOptions,
): Verdict => {
  const interval = () => estimateMean(differences, { ...options, range: differenceRange(options.range) }).interval;
  if (isUnvarying(differences)) {
    const p = mcnemarExact(rises && clusters.count, falls && clusters.count);
    return { interval: interval(), test: "mcnemar_exact", p };
  }
  if (isBinary && !clusters.areShared) {
    return { interval: interval(), test: "mcnemar_exact", p: mcnemarExact(rises, falls) };
  }
  if (clusters.count >= BOOTSTRAP_FROM) return resample(differences, clusters, options);
  const standardError = clusterRobustError(differences, clusters);
  const tail = standardError ? studentCdf(-Math.abs(mean(differences)) / standardError, clusters.count - 1) : 0.5;
  return { interval: interval(), test: "paired_t", p: 2 * tail };
};

/**
 * Compares two runs on the same samples. `a` and `b` contain the values in the same order, and `range` bounds them.
 * Verdicts (0 or 1) of independent samples: exact McNemar. Other values: paired bootstrap, over groups if samples share
 * groups; Student's t below 20 pairs or groups. If all differences are equal, there is no spread, so McNemar's test is
 * applied to the signs of the independent units. null without pairs. Throws invalid_request as `estimateMean` does.
 */
export const comparePairs = (
  a: readonly number[],
  b: readonly number[],
  options: EstimateOptions = {},
): PairedComparison | null => {
  if (a.length !== b.length) {
    throw new AppError(
      "invalid_request",
      `${a.length} values can't be paired with ${b.length}. Give the same samples.`,
    );
  }
  const differences = b.map((value, i) => value - (a[i] ?? Number.NaN));
  checkValues(differences, options.groups);
  if (differences.length === 0) return null;

  const clusters = options.groups ? clustersOf(options.groups) : singletons(differences.length);
  const changes = {
    rises: differences.filter((difference) => difference > 0).length,
    falls: differences.filter((difference) => difference < 0).length,
  };
  const isBinary = a.every(isVerdict) && b.every(isVerdict);
  const standardError = clusterRobustError(differences, clusters);
  return {
    n: differences.length,
    clusters: clusters.areShared ? clusters.count : null,
    a: mean(a),
    b: mean(b),
    difference: mean(differences),
    ...changes,
    ...judge(differences, clusters, { ...changes, isBinary }, options),
    detectableDifference: standardError ? detectableDifference(standardError) : null,
  };
};

/**
 * Holm's step-down adjustment (Holm 1979) keeps the probability of any false finding at the level, however the tests
 * depend on each other. Adjusted values are in the order of `pValues`.
 */
export const holmAdjust = (pValues: readonly number[]): number[] => {
  const order = pValues.map((_, i) => i).sort((i, j) => (pValues[i] ?? 0) - (pValues[j] ?? 0));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let largest = 0;
  order.forEach((position, place) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - place) * (pValues[position] ?? 0)));
    adjusted[position] = largest;
  });
  return adjusted;
};
