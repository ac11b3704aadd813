import type { Interval } from "../statistics-contract";
import { normalQuantile, studentQuantile } from "./distributions";

/** The default confidence level. */
export const DEFAULT_LEVEL = 0.95;

/** The smallest and the largest possible value. */
export type Range = readonly [low: number, high: number];

/** The tail probability on each side of an interval with this level: 0.025 for 0.95. */
export const tailOf = (level: number): number => (1 - level) / 2;

/** Limits an interval to the possible values. */
export const clip = (interval: Interval, [lowest, highest]: Range): Interval => ({
  ...interval,
  low: Math.max(interval.low, lowest),
  high: Math.min(interval.high, highest),
});

/** The arithmetic mean; NaN without values. */
export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum / values.length;
};

/** The unbiased sample variance (divisor n − 1); NaN for fewer than two values. */
export const variance = (values: ArrayLike<number>): number => {
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += ((values[i] ?? 0) - centre) ** 2;
  return sum / (values.length - 1);
};

/** The estimate plus and minus the t quantile times its standard error. */
export const studentBounds = (estimate: number, standardError: number, df: number, level: number) => {
  const halfWidth = standardError * studentQuantile(1 - tailOf(level), df);
  return { low: estimate - halfWidth, high: estimate + halfWidth, level };
};

/** Student's t interval for the mean of independent values (Student 1908). null for fewer than two values. */
export const studentInterval = (values: ArrayLike<number>, level = DEFAULT_LEVEL): Interval | null => {
  const n = values.length;
  if (n < 2) return null;
  const standardError = Math.sqrt(variance(values) / n);
  return { ...studentBounds(mean(values), standardError, n - 1, level), method: "student_t" };
};

/** The rates that a score test with the quantile `z` doesn't reject if `rate` was observed on `n` samples; `n` > 0. */
export const scoreBounds = (rate: number, n: number, z: number): { low: number; high: number } => {
  const scale = 1 + z ** 2 / n;
  const centre = (rate + z ** 2 / (2 * n)) / scale;
  const halfWidth = (z / scale) * Math.sqrt((rate * (1 - rate)) / n + z ** 2 / (4 * n ** 2));
  // At 0 and 1, centre and half width are equal apart from rounding.
  return { low: rate === 0 ? 0 : centre - halfWidth, high: rate === 1 ? 1 : centre + halfWidth };
};

/**
 * Wilson's score interval for a rate (Wilson 1927, "Probable inference, the law of succession, and statistical
 * inference"). It is valid near 0 and 1 and for few samples. `successes` of `n`, both ≥ 0. null if n is 0.
 */
export const wilsonInterval = (successes: number, n: number, level = DEFAULT_LEVEL): Interval | null => {
  if (n === 0) return null;
  const z = normalQuantile(1 - tailOf(level));
  return { ...scoreBounds(successes / n, n, z), level, method: "wilson" };
};

/**
 * The interval for the mean if all `n` independent values are the same. Their spread gives no information, but Wilson's
 * bound for an event seen 0 times in `n` does: at most that proportion of values may be anywhere in the range. null if
 * n is 0.
 */
export const unvaryingInterval = (
  value: number,
  n: number,
  [lowest, highest]: Range,
  level = DEFAULT_LEVEL,
): Interval | null => {
  const unseen = wilsonInterval(0, n, level);
  if (unseen === null) return null;
  const low = value - unseen.high * (value - lowest);
  const high = value + unseen.high * (highest - value);
  return { ...unseen, low, high };
};
