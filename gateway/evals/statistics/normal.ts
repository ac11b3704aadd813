const DENSITY_AT_ZERO = 1 / Math.sqrt(2 * Math.PI);
/** Beyond it the continued fraction of the tail converges fast; below it the series loses no digits. */
const TAIL_FROM = 2;
const FRACTION_DEPTH = 200;

const density = (x: number): number => DENSITY_AT_ZERO * Math.exp(-0.5 * x * x);

/** Share above `x` ≥ `TAIL_FROM`: Laplace's continued fraction (Abramowitz and Stegun 26.2.14). */
const upperTail = (x: number): number => {
  let fraction = x;
  for (let k = FRACTION_DEPTH; k > 0; k--) fraction = x + k / fraction;
  return density(x) / fraction;
};

/** Share between 0 and `x`: a series without alternating signs (Abramowitz and Stegun 26.2.11). */
const shareFromZero = (x: number): number => {
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > Math.abs(sum) * 1e-17; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return density(x) * sum;
};

/** Share of the standard normal distribution at or below `x`. Relative error under 1e-13, in the tails too. */
export const normalCdf = (x: number): number => {
  if (x <= -TAIL_FROM) return upperTail(-x);
  if (x >= TAIL_FROM) return 1 - upperTail(x);
  return 0.5 + shareFromZero(x);
};

/** The first guess, within 4.5e-4: Abramowitz and Stegun 26.2.23, for 0 < p ≤ 0.5. */
const roughQuantile = (p: number): number => {
  const t = Math.sqrt(-2 * Math.log(p));
  const numerator = 2.515517 + t * (0.802853 + t * 0.010328);
  const denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return numerator / denominator - t;
};

/** The `x` below which a share of `p` lies; ±Infinity at 0 and 1. Two of Halley's steps make the guess exact. */
export const normalQuantile = (p: number): number => {
  if (p === 0.5) return 0;
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p === 0) return -Infinity;
  let x = roughQuantile(p);
  for (let step = 0; step < 2; step++) {
    const excess = (normalCdf(x) - p) / density(x);
    x -= excess / (1 + (x * excess) / 2);
  }
  return x;
};
