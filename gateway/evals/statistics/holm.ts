/**
 * Holm's step-down adjustment (Holm 1979): keeps the probability of any false finding at the level, however the tests depend
 * on each other. Adjusted values are in the order of `pValues`.
 */
export const holmAdjust = (pValues: readonly number[]): number[] => {
  const order = pValues.map((_, i) => i).sort((i, j) => (pValues[i] ?? 0) - (pValues[j] ?? 0));
  const adjusted = new Array<number>(pValues.length).fill(1);
  let largest = 0;
  order.forEach((position, place) => {
    largest = Math.max(largest, Math.min(1, (pValues.length - place) * (pValues[position] ?? 0)));
    adjusted[position] = largest;
  });
  return adjusted;
};
