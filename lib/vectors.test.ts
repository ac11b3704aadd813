import { expect, test } from "bun:test";
import fc from "fast-check";
import { decodeVector, encodeVector, normalise } from "./vectors";

const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), { maxLength: 50 });

test("both encodings preserve every number of a vector", () => {
  fc.assert(
    fc.property(values, (numbers) => {
      const vector = Float32Array.from(numbers);
      for (const format of ["float", "base64"] as const)
        expect(decodeVector(encodeVector(vector, format))).toEqual(vector);
    }),
  );
});

test("a normalised vector has length 1, and a zero vector stays zero", () => {
  fc.assert(
    fc.property(values, (numbers) => {
      const length = Math.hypot(...normalise(numbers));
      expect(length).toBeCloseTo(numbers.some((value) => value !== 0) ? 1 : 0, 6);
    }),
  );
});

test("invalid vectors are rejected", () => {
  for (const wrong of [null, undefined, 1, {}, ["a"], "AAA=", [null]]) expect(decodeVector(wrong)).toBeUndefined();
});
