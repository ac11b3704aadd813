import { normalQuantile } from "./distributions";
import { DEFAULT_LEVEL, tailOf } from "./interval";

const DEFAULT_POWER = 0.8;

interface PowerOptions {
  /** The probability of detecting a difference of that size. */
  power?: number;
  /** The confidence level; the two-sided test has the level 1 − `level`. */
  level?: number;
  /** The factor by which clusters raise the variance: the `designEffect` of an earlier run. */
  designEffect?: number;
}

/** The z quantiles of the level and of the power. */
const quantiles = ({ power = DEFAULT_POWER, level = DEFAULT_LEVEL }: PowerOptions) => ({
  zLevel: normalQuantile(1 - tailOf(level)),
  zPower: normalQuantile(power),
});

/**
 * The larger root δ of δ√n = z_level √v + z_power √(v + cδ − δ²): the standard error is √(v / n) without a difference and
 * √((v + cδ − δ²) / n) with a difference of δ. Infinity if there is no solution.
 */
const solve = (v: number, c: number, n: number, { zLevel, zPower }: ReturnType<typeof quantiles>): number => {
  const square = n + zPower ** 2;
  const half = zLevel * Math.sqrt(n * v) + (zPower ** 2 * c) / 2;
  const rest = (zLevel ** 2 - zPower ** 2) * v;
  const change = (half + Math.sqrt(Math.max(0, half ** 2 - square * rest))) / square;
  // Squaring adds a root for which δ√n − z_level √v is negative. Then no δ is large enough.
  const isRoot = (change * Math.sqrt(n) - zLevel * Math.sqrt(v)) * zPower >= 0;
  return isRoot ? change : Number.POSITIVE_INFINITY;
};

/**
 * The smallest change of a rate, compared with a fixed value, that `n` samples detect: the one-sample test with the
 * normal approximation, with the variance of either rate (Fleiss, Levin and Paik 2003, "Statistical methods for rates
 * and proportions", chapter 2). Computed towards ½, where detection is harder. null if not even the largest change is
 * detected.
 */
export const detectableRateChange = (rate: number, n: number, options: PowerOptions = {}): number | null => {
  if (n === 0) return null;
  const change = solve(rate * (1 - rate), Math.abs(1 - 2 * rate), n / (options.designEffect ?? 1), quantiles(options));
  return change <= Math.max(rate, 1 - rate) ? change : null;
};

/**
 * An observed rate moved towards ½ by z² imaginary samples, half of them passed (Agresti and Coull 1998). Without it, a
 * rate of 0 or 1 would have no variance, and a change smaller than one sample would count as detectable.
 */
export const cautiousRate = (
  rate: number,
  n: number,
  { level = DEFAULT_LEVEL, designEffect = 1 }: PowerOptions = {},
) => {
  const [units, square] = [n / designEffect, normalQuantile(1 - tailOf(level)) ** 2];
  return (units * rate + square / 2) / (units + square);
};

/**
 * The smallest detectable difference between two rates on the same `n` samples (Connor 1987, "Sample size for testing
 * differences in proportions for the paired-sample design"). `changed`: the fraction of samples whose verdict differs,
 * above 0. null if not even changes in only one direction are detected.
 */
export const detectablePairedChange = (changed: number, n: number, options: PowerOptions = {}): number | null => {
  if (n === 0 || changed === 0) return null;
  const change = solve(changed, 0, n / (options.designEffect ?? 1), quantiles(options));
  return change <= changed ? change : null;
};

/** The smallest detectable difference of a mean with a known standard error: (z_level + z_power) times the error. */
export const detectableDifference = (standardError: number, options: PowerOptions = {}): number => {
  const { zLevel, zPower } = quantiles(options);
  return (zLevel + zPower) * standardError;
};

/**
 * The number of samples from which the interval excludes `bound` if the value stays the same: z² v / (value − bound)².
 * For a rate, with v = bound (1 − bound), this is Wilson's interval solved for n. `variance` is the variance of one
 * sample. null if the value equals the bound.
 */
export const samplesToDecide = (
  value: number,
  bound: number,
  variance: number,
  { level = DEFAULT_LEVEL, designEffect = 1 }: Omit<PowerOptions, "power"> = {},
): number | null => {
  if (value === bound) return null;
  const z = normalQuantile(1 - tailOf(level));
  return Math.ceil((z ** 2 * variance * designEffect) / (value - bound) ** 2);
};
