import { expect, test } from "bun:test";
import { encodeVector } from "../../lib/vectors";
import { fromStored, readVectors, toNumbers, toStored } from "./vectors";

const base64 = String(encodeVector(Float32Array.of(0.6, 0.8), "base64"));
const answer = (...data: unknown[]) => JSON.stringify({ object: "list", data });

test("a stored vector is restored exactly", () => {
  const vector = { base64, tokens: 7 };
  expect(fromStored(toStored(vector))).toEqual(vector);
  expect(toNumbers(vector)).toEqual(Float32Array.of(0.6, 0.8));
});

test("a node's vectors are put in the order of the inputs", () => {
  const json = answer({ index: 1, embedding: base64, tokens: 2 }, { index: 0, embedding: base64, tokens: 1 });
  expect(readVectors(json, 2).map(({ tokens }) => tokens)).toEqual([1, 2]);
});

test("a response with a missing or invalid vector is a node error", () => {
  const whole = { index: 0, embedding: base64, tokens: 1 };
  for (const json of [
    answer(whole),
    answer(whole, whole),
    answer(whole, { ...whole, index: 1, embedding: "A" }),
    "{",
    "null",
  ]) {
    expect(() => readVectors(json, 2)).toThrow(expect.objectContaining({ kind: "upstream_error" }));
  }
});
