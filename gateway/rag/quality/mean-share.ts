import { estimateMean } from "../../evals/statistics/estimate";
import type { Rate } from "../../evals/statistics-contract";

/** Mean of values between 0 and 1, with its 95 % interval; null if there are no values. */
export const meanShare = (values: readonly number[]): Rate | null => {
  const { value, interval } = estimateMean(values, { range: [0, 1] });
  return value === null ? null : { value, interval };
};
