/** L2-normalised vectors in input order; an empty text has a vector of zeros. */
export type EmbedTexts = (texts: readonly string[]) => Promise<Float32Array[]>;

/** Cosine of two L2-normalised vectors, -1…1. */
export const cosine = (a: Float32Array | undefined, b: Float32Array | undefined): number => {
  if (!a || !b) return 0;
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
};
