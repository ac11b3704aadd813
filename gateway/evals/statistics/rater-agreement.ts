import type { Interval } from "../statistics-contract";
import { normalQuantile } from "./distributions";
import { clip, DEFAULT_LEVEL, tailOf } from "./interval";

interface Shares {
  /** The fraction of items in each cell. Rows are one rater, columns are the other. */
  cells: readonly (readonly number[])[];
  rows: readonly number[];
  columns: readonly number[];
  agreement: number;
  expected: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

const sharesOf = (table: readonly (readonly number[])[]): Shares => {
  const n = sum(table.map(sum));
  const cells = table.map((row) => row.map((count) => count / n));
  const rows = cells.map(sum);
  const columns = rows.map((_, j) => sum(cells.map((row) => row[j] ?? 0)));
  return {
    cells,
    rows,
    columns,
    agreement: sum(cells.map((row, i) => row[i] ?? 0)),
    expected: sum(rows.map((share, i) => share * (columns[i] ?? 0))),
  };
};

/**
 * Cohen's kappa of two raters (Cohen 1960): agreement beyond chance given each rater's own rates, −1 to 1. `table` is
 * square and counts items by the categories that the raters chose. null without items, or if both always chose the same
 * category.
 */
export const cohenKappa = (table: readonly (readonly number[])[]): number | null => {
  const { agreement, expected } = sharesOf(table);
  return expected < 1 ? (agreement - expected) / (1 - expected) : null;
};

/** Large-sample variance of kappa for independent items (Fleiss, Cohen and Everitt 1969). */
const kappaVariance = (table: readonly (readonly number[])[], kappa: number): number => {
  const n = sum(table.map(sum));
  const { cells, rows, columns, expected } = sharesOf(table);
  let variance = -((kappa - expected * (1 - kappa)) ** 2);
  cells.forEach((row, i) => {
    row.forEach((share, j) => {
      const marginal = (columns[i] ?? 0) + (rows[j] ?? 0);
      variance += share * ((i === j ? 1 : 0) - marginal * (1 - kappa)) ** 2;
    });
  });
  return variance / n / (1 - expected) ** 2;
};

/** A variance below this is a rounding error and counts as 0. */
const ROUNDING = 1e-14;

/** Kappa's interval from its large-sample error. null if kappa is undefined, or if the raters always or never agreed. */
export const kappaInterval = (table: readonly (readonly number[])[], level = DEFAULT_LEVEL): Interval | null => {
  const kappa = cohenKappa(table);
  if (kappa === null) return null;
  const variance = kappaVariance(table, kappa);
  if (variance < ROUNDING) return null;
  const halfWidth = Math.sqrt(variance) * normalQuantile(1 - tailOf(level));
  return clip({ low: kappa - halfWidth, high: kappa + halfWidth, level, method: "asymptotic" }, [-1, 1]);
};

/** nominal: ratings are either equal or not; interval: differences are squared. */
type Scale = "nominal" | "interval";

/** The sum of the differences over all ordered pairs of ratings, and the number of ratings. */
interface Differences {
  count: number;
  sum: number;
}

const nominalDifferences = (ratings: readonly number[]): Differences => {
  const counts = new Map<number, number>();
  for (const rating of ratings) counts.set(rating, (counts.get(rating) ?? 0) + 1);
  let equal = 0;
  for (const count of counts.values()) equal += count * count;
  return { count: ratings.length, sum: ratings.length ** 2 - equal };
};

const intervalDifferences = (ratings: readonly number[]): Differences => {
  const count = ratings.length;
  const centre = ratings.reduce((sum, rating) => sum + rating, 0) / count;
  const squares = ratings.reduce((sum, rating) => sum + (rating - centre) ** 2, 0);
  return { count, sum: 2 * count * squares };
};

/**
 * Krippendorff's alpha (Krippendorff 2011, "Computing Krippendorff's alpha-reliability"): agreement of any number of
 * raters beyond chance; 1 is perfect, 0 is chance. One entry per item with its ratings; ratings may be missing, and items
 * with fewer than two are ignored. null if no item has two ratings, or all ratings are equal.
 */
export const krippendorffAlpha = (items: readonly (readonly number[])[], scale: Scale): number | null => {
  const differences = scale === "nominal" ? nominalDifferences : intervalDifferences;
  const pairable = items.filter((ratings) => ratings.length >= 2);
  const all = differences(pairable.flat());
  if (!(all.sum > 0)) return null;
  let within = 0;
  for (const ratings of pairable) {
    const { count, sum } = differences(ratings);
    within += sum / (count - 1);
  }
  return 1 - ((all.count - 1) * within) / all.sum;
};
