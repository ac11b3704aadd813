import type { Interval } from "../statistics-contract";
import { regularizedBeta } from "./distributions";
import { DEFAULT_LEVEL, tailOf } from "./interval";

/**
 * Percentiles of values, each by linear interpolation between the two closest ranks (Hyndman and Fan 1996, definition 7,
 * the default of numpy and scipy). `shares` are from 0 to 1. NaN without values.
 */
export const percentiles = (values: ArrayLike<number>, shares: readonly number[]): number[] => {
  const sorted = Float64Array.from(values).sort();
  return shares.map((share) => {
    const rank = share * (sorted.length - 1);
    const below = sorted[Math.floor(rank)] ?? Number.NaN;
    const above = sorted[Math.ceil(rank)] ?? Number.NaN;
    return below + (above - below) * (rank - Math.floor(rank));
  });
};

/** A probability that reaches another one apart from rounding counts as equal. */
const ROUNDING = 1e-12;

/** The smallest count that a binomial variable does not exceed with probability `p` or more. */
const binomialQuantile = (n: number, share: number, p: number): number => {
  let [low, high] = [0, n];
  while (low < high) {
    const middle = (low + high) >> 1;
    // P(X ≤ k) of the binomial distribution is an incomplete beta function (Abramowitz and Stegun 26.5.24).
    if (regularizedBeta(1 - share, n - middle, middle + 1) >= p * (1 - ROUNDING)) high = middle;
    else low = middle + 1;
  }
  return low;
};

/**
 * The exact, distribution-free interval of a percentile between two of the `sorted` values (Conover 1999, "Practical
 * nonparametric statistics", chapter 3.2; scipy's `quantile_test`). A bound is undefined if there are too few values.
 */
export const percentileBounds = (
  sorted: ArrayLike<number>,
  share: number,
  level = DEFAULT_LEVEL,
): { low: number | undefined; high: number | undefined } => {
  const n = sorted.length;
  if (n === 0) return { low: undefined, high: undefined };
  const [below, above] = [tailOf(level), 1 - tailOf(level)].map((p) => binomialQuantile(n, share, p));
  return { low: sorted[(below ?? 0) - 1], high: sorted[above ?? n] };
};

/** The same as an interval; null without both bounds. */
export const percentileInterval = (
  sorted: ArrayLike<number>,
  share: number,
  level = DEFAULT_LEVEL,
): Interval | null => {
  const { low, high } = percentileBounds(sorted, share, level);
  return low === undefined || high === undefined ? null : { low, high, level, method: "order_statistics" };
};

/** More values than this are never needed in practice. */
const MAX_VALUES = 1e6;

/**
 * About how many values the exact interval needs to exclude `bound`, if the same fraction `within` of them stays at or
 * below it. null if no number up to a million is enough.
 */
export const valuesToDecide = (n: number, within: number, share: number, level = DEFAULT_LEVEL): number | null => {
  const [below, above] = [tailOf(level), 1 - tailOf(level)];
  for (let size = n; size <= MAX_VALUES; size = Math.ceil(size * 1.02) + 1) {
    const reached = Math.floor(within * size);
    if (binomialQuantile(size, share, above) < reached || binomialQuantile(size, share, below) > reached) return size;
  }
  return null;
};
