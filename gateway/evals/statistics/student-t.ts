import { logBeta, regularizedBeta } from "./beta";
import { normalQuantile } from "./normal";

const MAX_STEPS = 100;

/** Share of Student's t distribution above `t` ≥ 0 (Abramowitz and Stegun 26.7.1). `df` > 0, whole or not. */
const upperTail = (t: number, df: number): number => {
  const square = t * t;
  return 0.5 * regularizedBeta(df / (df + square), df / 2, 0.5, square / (df + square));
};

/** Share of Student's t distribution with `df` degrees of freedom at or below `t`. */
export const studentCdf = (t: number, df: number): number => (t < 0 ? upperTail(-t, df) : 1 - upperTail(t, df));

const density = (t: number, df: number): number =>
  Math.exp(-logBeta(df / 2, 0.5) - 0.5 * Math.log(df) - 0.5 * (df + 1) * Math.log1p((t * t) / df));

/**
 * The `t` below which a share of `p` lies, 0 < p < 1. Newton's method on the logarithms of tail and `t`, between
 * which the curve is nearly straight; it starts at the normal quantile, on the side from which it can't run away.
 */
export const studentQuantile = (p: number, df: number): number => {
  if (p === 0.5) return 0;
  if (p > 0.5) return -studentQuantile(1 - p, df);
  let t = -normalQuantile(p);
  for (let step = 0; step < MAX_STEPS; step++) {
    const tail = upperTail(t, df);
    const factor = Math.exp((Math.log(tail / p) * tail) / (t * density(t, df)));
    t *= factor;
    if (Math.abs(factor - 1) < 1e-14) break;
  }
  return -t;
};
