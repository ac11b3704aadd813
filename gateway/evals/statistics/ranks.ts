/** Positions of the values in ascending order. */
export const ascending = (values: ArrayLike<number>): Int32Array =>
  Int32Array.from({ length: values.length }, (_, i) => i).sort((i, j) => (values[i] ?? 0) - (values[j] ?? 0));

/** Ranks from 1; values that are equal share the mean of their ranks. */
export const midRanks = (values: ArrayLike<number>): Float64Array => {
  const order = ascending(values);
  const ranks = new Float64Array(values.length);
  for (let start = 0, end = 0; start < order.length; start = end) {
    const value = values[order[start] ?? 0];
    while (end < order.length && values[order[end] ?? 0] === value) end++;
    for (const position of order.subarray(start, end)) ranks[position] = (start + 1 + end) / 2;
  }
  return ranks;
};
