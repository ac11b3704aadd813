import { expect, test } from "bun:test";
import fc from "fast-check";
import { Q8_0_BYTES, Q8_0_WEIGHTS, quantizeQ8 } from "./q8-0";

const block = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), {
  minLength: Q8_0_WEIGHTS,
  maxLength: Q8_0_WEIGHTS,
});

test("every weight is off by half a step of its block at most", () => {
  fc.assert(
    fc.property(fc.array(block, { minLength: 1, maxLength: 4 }), (blocks) => {
      const weights = Float32Array.from(blocks.flat());
      const bytes = quantizeQ8(weights);
      expect(bytes).toHaveLength(blocks.length * Q8_0_BYTES);
      const view = new DataView(bytes.buffer, bytes.byteOffset);
      for (const [index, weight] of weights.entries()) {
        const at = Math.floor(index / Q8_0_WEIGHTS) * Q8_0_BYTES;
        const step =
          Math.max(
            ...weights
              .slice(index - (index % Q8_0_WEIGHTS))
              .slice(0, Q8_0_WEIGHTS)
              .map(Math.abs),
          ) / 127;
        const read = view.getFloat16(at, true) * view.getInt8(at + 2 + (index % Q8_0_WEIGHTS));
        // The scale is kept in half precision: 2^-11 of it, and for the smallest ones 2^-25, 127 times at most.
        const rounding = Math.abs(weight) * 2 ** -11 + 127 * 2 ** -25;
        expect(Math.abs(read - weight)).toBeLessThanOrEqual(step / 2 + rounding + 1e-6 * step);
      }
    }),
  );
});

test("gives the bytes of ggml's own reference, halves away from zero included", () => {
  const weights = new Float32Array(Q8_0_WEIGHTS);
  weights.set([127, -127, 0.5, -0.5, 1.5, -1.5, 2.4999, 0]);
  const bytes = quantizeQ8(weights);
  expect(bytes.readUInt16LE(0)).toBe(0x3c00); // 1 in half precision
  expect([...new Int8Array(bytes.buffer, bytes.byteOffset + 2, 8)]).toEqual([127, -127, 1, -1, 2, -2, 2, 0]);
});

test("a block of zeros is zeros", () => {
  expect(quantizeQ8(new Float32Array(Q8_0_WEIGHTS)).every((byte) => byte === 0)).toBe(true);
});
