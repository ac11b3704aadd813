/** The vector of length 1 in the same direction, in single precision; zeros stay zeros. */
export const normalise = (values: ArrayLike<number>): Float32Array => {
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] ?? 0) ** 2;
  const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
  return Float32Array.from(values, (value) => value * scale);
};

/** OpenAI's encodings of a vector: a list of numbers, or its little-endian single-precision bytes in base64. */
export type EncodingFormat = "float" | "base64";

export const encodeVector = (vector: Float32Array, format: EncodingFormat): number[] | string =>
  format === "float"
    ? Array.from(vector)
    : Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString("base64");

/** The vector of either form; undefined for anything else. */
export const decodeVector = (encoded: unknown): Float32Array | undefined => {
  if (Array.isArray(encoded)) {
    return encoded.every((value) => typeof value === "number") ? Float32Array.from(encoded) : undefined;
  }
  if (typeof encoded !== "string") return undefined;
  // A copy: a buffer out of Node's pool need not begin where a number may.
  const { buffer, byteLength } = Uint8Array.from(Buffer.from(encoded, "base64"));
  return byteLength % 4 === 0 ? new Float32Array(buffer) : undefined;
};
