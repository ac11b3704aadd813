import { ascending } from "./auroc";
import { mean } from "./mean";

/** Pearson's correlation of pairs, −1 to 1. null for fewer than two pairs, or if one side doesn't vary. */
export const pearson = (x: ArrayLike<number>, y: ArrayLike<number>): number | null => {
  const meanX = mean(x);
  const meanY = mean(y);
  let squaresX = 0;
  let squaresY = 0;
  let products = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = (x[i] ?? 0) - meanX;
    const dy = (y[i] ?? 0) - meanY;
    squaresX += dx * dx;
    squaresY += dy * dy;
    products += dx * dy;
  }
  if (squaresX === 0 || squaresY === 0) return null;
  return Math.min(1, Math.max(-1, products / Math.sqrt(squaresX) / Math.sqrt(squaresY)));
};

/** Ranks from 1. Tied values get the mean of their ranks. */
const midRanks = (values: ArrayLike<number>): Float64Array => {
  const order = ascending(values);
  const ranks = new Float64Array(values.length);
  for (let start = 0, end = 0; start < order.length; start = end) {
    const value = values[order[start] ?? 0];
    while (end < order.length && values[order[end] ?? 0] === value) end++;
    for (const position of order.subarray(start, end)) ranks[position] = (start + 1 + end) / 2;
  }
  return ranks;
};

/** Spearman's rank correlation (Spearman 1904): Pearson's correlation of the ranks; ties share their mean rank. */
export const spearman = (x: ArrayLike<number>, y: ArrayLike<number>): number | null =>
  pearson(midRanks(x), midRanks(y));
