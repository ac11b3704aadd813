import type { Interval } from "../statistics-contract";
import { normalQuantile } from "./distributions";
import { DEFAULT_LEVEL, type Range, tailOf } from "./interval";

/** The rates that a score test with the quantile `z` doesn't reject when `rate` was seen on `n` samples; `n` > 0. */
export const scoreBounds = (rate: number, n: number, z: number): { low: number; high: number } => {
  const scale = 1 + z ** 2 / n;
  const centre = (rate + z ** 2 / (2 * n)) / scale;
  const halfWidth = (z / scale) * Math.sqrt((rate * (1 - rate)) / n + z ** 2 / (4 * n ** 2));
  // At the ends centre and half width are equal but for rounding.
  return { low: rate === 0 ? 0 : centre - halfWidth, high: rate === 1 ? 1 : centre + halfWidth };
};

/**
 * Wilson's score interval of a rate (Wilson 1927, "Probable inference, the law of succession, and statistical
 * inference"). It holds near 0 and 1 and for few samples. `successes` of `n`, both ≥ 0; null: n is 0.
 */
export const wilsonInterval = (successes: number, n: number, level = DEFAULT_LEVEL): Interval | null => {
  if (n === 0) return null;
  const z = normalQuantile(1 - tailOf(level));
  return { ...scoreBounds(successes / n, n, z), level, method: "wilson" };
};

/**
 * Interval of the mean when all `n` independent values were the same. Their spread tells nothing, but Wilson's bound
 * on what was seen 0 times in `n` does: at most that share of values may be anywhere in the range. null: n is 0.
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
