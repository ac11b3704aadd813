/*
 * "Drawn" is a list of positions of units, each as often as it was drawn. Figures are computed of such lists, so that
 * the same code gives the figure itself and its resamples.
 */

/** All of `count` units, each once. */
export const eachOnce = (count: number): Int32Array => Int32Array.from({ length: count }, (_, unit) => unit);

/** Sum of the drawn units' values. */
export const sumDrawn = (values: Float64Array, drawn: Int32Array): number => {
  let sum = 0;
  for (let i = 0; i < drawn.length; i++) sum += values[drawn[i] ?? 0] ?? 0;
  return sum;
};
