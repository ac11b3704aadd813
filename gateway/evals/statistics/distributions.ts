const DENSITY_AT_ZERO = 1 / Math.sqrt(2 * Math.PI);
/** Above this value, the continued fraction of the tail converges fast. Below it, the series is fully precise. */
const TAIL_FROM = 2;
const FRACTION_DEPTH = 200;

const normalDensity = (x: number): number => DENSITY_AT_ZERO * Math.exp(-0.5 * x * x);

/** The probability above `x` ≥ `TAIL_FROM`: Laplace's continued fraction (Abramowitz and Stegun 26.2.14). */
const normalUpperTail = (x: number): number => {
  let fraction = x;
  for (let k = FRACTION_DEPTH; k > 0; k--) fraction = x + k / fraction;
  return normalDensity(x) / fraction;
};

/** The probability between 0 and `x`: a series without alternating signs (Abramowitz and Stegun 26.2.11). */
const shareFromZero = (x: number): number => {
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > Math.abs(sum) * 1e-17; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return normalDensity(x) * sum;
};

/**
 * The standard normal distribution: the probability at or below `x`. The relative error is below 1e-13, even in the
 * tails.
 */
export const normalCdf = (x: number): number => {
  if (x <= -TAIL_FROM) return normalUpperTail(-x);
  if (x >= TAIL_FROM) return 1 - normalUpperTail(x);
  return 0.5 + shareFromZero(x);
};

/** A first guess, within 4.5e-4: Abramowitz and Stegun 26.2.23, for 0 < p ≤ 0.5. */
const roughQuantile = (p: number): number => {
  const t = Math.sqrt(-2 * Math.log(p));
  const numerator = 2.515517 + t * (0.802853 + t * 0.010328);
  const denominator = 1 + t * (1.432788 + t * (0.189269 + t * 0.001308));
  return numerator / denominator - t;
};

/** The `x` with probability `p` below it; ±Infinity at 0 and 1. Two Halley steps make the guess exact. */
export const normalQuantile = (p: number): number => {
  if (p === 0.5) return 0;
  if (p > 0.5) return -normalQuantile(1 - p);
  if (p === 0) return -Infinity;
  let x = roughQuantile(p);
  for (let step = 0; step < 2; step++) {
    const excess = (normalCdf(x) - p) / normalDensity(x);
    x -= excess / (1 + (x * excess) / 2);
  }
  return x;
};

const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
/** At or above this value, the series below is exact to the last digit. */
const STIRLING_FROM = 10;
const STIRLING_TERMS = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];

/** The correction to Stirling's formula for ln Γ(x), for x ≥ `STIRLING_FROM` (Abramowitz and Stegun 6.1.40). */
const stirlingRest = (x: number): number => {
  let rest = 0;
  for (const term of STIRLING_TERMS.toReversed()) rest = rest / (x * x) + term;
  return rest / x;
};

/** ln Γ(x) for x > 0. */
export const logGamma = (x: number): number => {
  let raised = x;
  let product = 1;
  while (raised < STIRLING_FROM) product *= raised++;
  return (raised - 0.5) * Math.log(raised) - raised + HALF_LOG_TWO_PI + stirlingRest(raised) - Math.log(product);
};

/**
 * ln B(a, b) for a, b > 0. It is precise even if one of them is large, where the difference of two ln Γ would lose
 * digits.
 */
export const logBeta = (a: number, b: number): number => {
  const small = Math.min(a, b);
  const large = Math.max(a, b);
  const sum = a + b;
  if (large < STIRLING_FROM) return logGamma(small) + logGamma(large) - logGamma(sum);
  const difference =
    (large - 0.5) * Math.log1p(-small / sum) - small * Math.log(sum) + small + stirlingRest(large) - stirlingRest(sum);
  return logGamma(small) + difference;
};

const TINY = 1e-300;
const MAX_FRACTION_STEPS = 100_000;

/**
 * The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), computed with the modified
 * Lentz method.
 */
const betaFraction = (x: number, a: number, b: number): number => {
  const awayFromZero = (value: number) => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < MAX_FRACTION_STEPS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let change = 1;
    for (const term of [even, odd]) {
      d = 1 / awayFromZero(1 + term * d);
      c = awayFromZero(1 + term / c);
      change *= c * d;
    }
    fraction *= change;
    if (Math.abs(change - 1) < 1e-15) break;
  }
  return fraction;
};

/**
 * The regularised incomplete beta function I_x(a, b) for 0 ≤ x ≤ 1 and a, b > 0. `complement` is 1 − x; pass it if it
 * is known more precisely than the difference.
 */
export const regularizedBeta = (x: number, a: number, b: number, complement = 1 - x): number => {
  if (x <= 0) return 0;
  if (complement <= 0) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - regularizedBeta(complement, b, a, x);
  const logX = x < 0.5 ? Math.log(x) : Math.log1p(-complement);
  const logComplement = x < 0.5 ? Math.log1p(-x) : Math.log(complement);
  return (Math.exp(a * logX + b * logComplement - logBeta(a, b)) * betaFraction(x, a, b)) / a;
};

const MAX_NEWTON_STEPS = 100;

/** The probability above `t` ≥ 0 in Student's t distribution (Abramowitz and Stegun 26.7.1). `df` > 0 may be fractional. */
const studentUpperTail = (t: number, df: number): number => {
  const square = t * t;
  return 0.5 * regularizedBeta(df / (df + square), df / 2, 0.5, square / (df + square));
};

/** Student's t distribution with `df` degrees of freedom: the probability at or below `t`. */
export const studentCdf = (t: number, df: number): number =>
  t < 0 ? studentUpperTail(-t, df) : 1 - studentUpperTail(t, df);

const studentDensity = (t: number, df: number): number =>
  Math.exp(-logBeta(df / 2, 0.5) - 0.5 * Math.log(df) - 0.5 * (df + 1) * Math.log1p((t * t) / df));

/**
 * The `t` with probability `p` below it, 0 < p < 1. Newton's method on the logarithms of the tail and `t`, whose
 * relation is nearly linear. It starts at the normal quantile: from that side it can't diverge.
 */
export const studentQuantile = (p: number, df: number): number => {
  if (p === 0.5) return 0;
  if (p > 0.5) return -studentQuantile(1 - p, df);
  let t = -normalQuantile(p);
  for (let step = 0; step < MAX_NEWTON_STEPS; step++) {
    const tail = studentUpperTail(t, df);
    const factor = Math.exp((Math.log(tail / p) * tail) / (t * studentDensity(t, df)));
    t *= factor;
    if (Math.abs(factor - 1) < 1e-14) break;
  }
  return -t;
};
