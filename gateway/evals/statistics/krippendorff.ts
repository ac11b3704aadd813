/** nominal: ratings are equal or not; interval: the squared difference counts. */
type Scale = "nominal" | "interval";

/** Sum of the differences over all ordered pairs of ratings, and the number of ratings. */
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
