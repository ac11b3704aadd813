import type { Interval } from "../statistics-contract";
import { studentQuantile } from "./distributions";
import { DEFAULT_LEVEL, tailOf } from "./interval";

/** NaN for no values. */
export const mean = (values: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum / values.length;
};

/** Unbiased variance of a sample (divisor n − 1); NaN for fewer than two values. */
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

/** Student's t interval of the mean of independent values (Student 1908). null: fewer than two values. */
export const studentInterval = (values: ArrayLike<number>, level = DEFAULT_LEVEL): Interval | null => {
  const n = values.length;
  if (n < 2) return null;
  const standardError = Math.sqrt(variance(values) / n);
  return { ...studentBounds(mean(values), standardError, n - 1, level), method: "student_t" };
};
