import { AppError } from "../../../lib/errors";
import type { Interval } from "../statistics-contract";
import { bcaInterval, bcaPValue } from "./bca";
import { bootstrap, sumDrawn } from "./bootstrap";
import { clusterRobustError } from "./cluster-robust";
import { type Clusters, clusterSizes, clustersOf, heapUp, singletons, sumByCluster } from "./clusters";
import { studentCdf } from "./distributions";
import {
  BOOTSTRAP_FROM,
  checkValues,
  type EstimateOptions,
  estimateMean,
  isUnvarying,
  isVerdict,
  MEAN_RESAMPLES,
} from "./estimate";
import type { Range } from "./interval";
import { mcnemarExact } from "./mcnemar";
import { mean } from "./mean";
import { detectableDifference } from "./power";

/** What a test says about the mean difference. */
interface Verdict {
  /** null: nothing can be said, for example of one pair. */
  interval: Interval | null;
  test: "mcnemar_exact" | "paired_t" | "paired_bootstrap" | "paired_cluster_bootstrap";
  /** Two-sided; 1 where nothing can be said. */
  p: number;
}

interface PairedComparison extends Verdict {
  /** Pairs. */
  n: number;
  /** Groups that interval and test respect; null: pairs are independent. */
  clusters: number | null;
  a: number;
  b: number;
  /** b minus a. */
  difference: number;
  /** Pairs in which b is higher than a. */
  rises: number;
  /** Pairs in which b is lower than a. */
  falls: number;
  /** Smallest true difference that as many pairs with the same spread show with power 0.8; null: there is no spread. */
  detectableDifference: number | null;
}

/** Tests the mean by resampling pairs, or whole groups of pairs. */
const resample = (differences: readonly number[], clusters: Clusters, { level, seed }: EstimateOptions): Verdict => {
  const units = heapUp(clusters);
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

/** Chooses the test as `comparePairs` says. `rises` and `falls` count the pairs that changed. */
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
 * Compares two runs on the same samples; `a` and `b` hold their values in the same order, `range` bounds those
 * values. Verdicts (0 or 1) of independent samples: exact McNemar. Others: paired bootstrap, over groups where
 * samples share them; below 20 pairs or groups Student's t. Differences that are all equal have no spread; their test
 * is the sign of each independent unit, which is McNemar's too. null: no pairs. Throws invalid_request as
 * `estimateMean` does.
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
