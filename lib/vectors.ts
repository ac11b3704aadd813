/** Normalises a vector to length 1, in single precision; a zero vector stays zero. */
export const normalise = (values: ArrayLike<number>): Float32Array => {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] ?? 0) ** 2;
  const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
  return Float32Array.from(values, (value) => value * scale);
};

/** The cosine of two L2-normalised vectors. Numbers that the other vector lacks count as 0. */
export const dotProduct = (a: Float32Array, b: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
};

/** OpenAI's encodings of a vector: a list of numbers, or its little-endian single-precision bytes in base64. */
export type EncodingFormat = "float" | "base64";

export const encodeVector = (vector: Float32Array, format: EncodingFormat): number[] | string =>
  format === "float"
    ? Array.from(vector)
    : Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");

/** Decodes either encoding; undefined for anything else. */
export const decodeVector = (encoded: unknown): Float32Array | undefined => {
  if (Array.isArray(encoded)) {
    return encoded.every((value) => typeof value === "number") ? Float32Array.from(encoded) : undefined;
  }
  if (typeof encoded !== "string") return undefined;
  // Copied, because a buffer from Node's pool may not be aligned for numbers.
  const { buffer, byteLength } = Uint8Array.from(Buffer.from(encoded, "base64"));
  return byteLength % 4 === 0 ? new Float32Array(buffer) : undefined;
};
