/**
 * Holm's step-down adjustment (Holm 1979): keeps the chance of one false finding among all at the level, whatever the
 * dependence between them. Adjusted values come in the order of `pValues`.
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
