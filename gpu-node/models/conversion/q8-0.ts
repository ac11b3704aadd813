/** Weights that share one scale. */
export const Q8_0_WEIGHTS = 32;
/** A half-precision scale and one signed byte a weight. */
export const Q8_0_BYTES = 2 + Q8_0_WEIGHTS;

/** C's roundf: halves away from zero. */
const round = (value: number): number => (value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5));

/**
 * Weights as blocks of ggml's type Q8_0, bit by bit what its reference `quantize_row_q8_0_ref` gives: all arithmetic is
 * in single precision. `weights` holds whole blocks.
 */
export const quantizeQ8 = (weights: Float32Array): Buffer => {
  const blocks = weights.length / Q8_0_WEIGHTS;
  const bytes = Buffer.alloc(blocks * Q8_0_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let block = 0; block < blocks; block++) {
    const first = block * Q8_0_WEIGHTS;
    let largest = 0;
    for (let i = first; i < first + Q8_0_WEIGHTS; i++) largest = Math.max(largest, Math.abs(weights[i] ?? 0));
    const scale = Math.fround(largest / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    const at = block * Q8_0_BYTES;
    view.setFloat16(at, scale, true);
    for (let i = 0; i < Q8_0_WEIGHTS; i++) {
      view.setInt8(at + 2 + i, round(Math.fround((weights[first + i] ?? 0) * inverse)));
    }
  }
  return bytes;
};
