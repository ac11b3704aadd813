import { regularizedBeta } from "./distributions";

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
