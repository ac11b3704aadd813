const HALF_LOG_TWO_PI = 0.5 * Math.log(2 * Math.PI);
/** From here on the series below reaches the last digit. */
const STIRLING_FROM = 10;
const STIRLING_TERMS = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156];

/** What Stirling's formula leaves out of ln Γ(x), for x ≥ `STIRLING_FROM` (Abramowitz and Stegun 6.1.40). */
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

/** ln B(a, b) for a, b > 0, exact where one of them is large and the difference of two ln Γ would lose its digits. */
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
const MAX_STEPS = 100_000;

/**
 * The continued fraction of the incomplete beta function (Abramowitz and Stegun 26.5.8), by the modified Lentz
 * method.
 */
const betaFraction = (x: number, a: number, b: number): number => {
  const awayFromZero = (value: number) => (Math.abs(value) < TINY ? TINY : value);
  let c = 1;
  let d = 1 / awayFromZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < MAX_STEPS; m++) {
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
 * The regularised incomplete beta function I_x(a, b) for 0 ≤ x ≤ 1 and a, b > 0. `complement` is 1 − x; give it where
 * it is known more exactly than the difference.
 */
export const regularizedBeta = (x: number, a: number, b: number, complement = 1 - x): number => {
  if (x <= 0) return 0;
  if (complement <= 0) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - regularizedBeta(complement, b, a, x);
  const logX = x < 0.5 ? Math.log(x) : Math.log1p(-complement);
  const logComplement = x < 0.5 ? Math.log1p(-x) : Math.log(complement);
  return (Math.exp(a * logX + b * logComplement - logBeta(a, b)) * betaFraction(x, a, b)) / a;
};
