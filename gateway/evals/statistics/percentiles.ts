/**
 * Percentiles of values, each by linear interpolation between the two closest ranks (Hyndman and Fan 1996, definition 7,
 * the default of numpy and scipy). `shares` are from 0 to 1. NaN without values.
 */
export const percentiles = (values: readonly number[], shares: readonly number[]): number[] => {
  const sorted = Float64Array.from(values).sort();
  return shares.map((share) => {
    const rank = share * (sorted.length - 1);
    const below = sorted[Math.floor(rank)] ?? Number.NaN;
    const above = sorted[Math.ceil(rank)] ?? Number.NaN;
    return below + (above - below) * (rank - Math.floor(rank));
  });
};
