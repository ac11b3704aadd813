import { expect, test } from "bun:test";
import fc from "fast-check";
import { cutBatches } from "./batches";
import { distinct, readInputs } from "./inputs";

test("every form of input is read, and errors name the inputs as in the request", () => {
  const read = (input: Parameters<typeof readInputs>[0]) => {
    const { inputs, nameOf } = readInputs(input);
    return [inputs, nameOf(inputs.length - 1)];
  };
  expect(read("a")).toEqual([["a"], "input"]);
  expect(read(["a", "b"])).toEqual([["a", "b"], "input.1"]);
  expect(read([1, 2])).toEqual([[[1, 2]], "input"]);
  expect(read([[1], [2]])).toEqual([[[1], [2]], "input.1"]);
});

const input = fc.oneof(fc.string({ maxLength: 3 }), fc.array(fc.nat(3), { maxLength: 2 }));

test("identical inputs are merged, and each position maps to its input", () => {
  fc.assert(
    fc.property(fc.array(input), (inputs) => {
      const { inputs: once, places } = distinct(inputs);
      expect(places.map((place) => once[place])).toEqual(inputs);
      expect(new Set(once.map((each) => JSON.stringify(each))).size).toBe(once.length);
    }),
  );
  expect(distinct(["[1]", [1]]).inputs).toHaveLength(2);
});

test("batches contain every input once, in order, and none exceeds the maximum size for a node", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 120 }), (lengths) => {
      const batches = cutBatches(lengths.map((length, index) => ({ index, input: "x".repeat(length) })));
      expect(batches.flat().map(({ index }) => index)).toEqual([...lengths.keys()]);
      for (const batch of batches) {
        const length = batch.reduce((sum, missing) => sum + missing.input.length, 0);
        expect(batch.length <= 32 && (length <= 32_768 || batch.length === 1)).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});
