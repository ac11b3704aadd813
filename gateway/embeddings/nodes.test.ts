import { expect, test } from "bun:test";
import { fakeEngine } from "../../tests/engine-fake";
import { callOf } from "../../tests/principal";
import { computeVectors, type NodeWork } from "./service";

const work: NodeWork = {
  call: callOf(),
  model: {
    id: "fake-embedder",
    revision: "fake-revision",
    isKnown: true,
    contextWindow: null,
    dimensions: 2,
    prefixes: null,
    capabilities: null,
  },
  dimensions: undefined,
  totalMs: 10_000,
  nameOf: (index) => `input.${index}`,
};

test("a consumer that fails aborts the other batches, and its error is thrown", async () => {
  let pieces = 0;
  const engine = fakeEngine({ beforePiece: async () => void (pieces++ > 0 && (await new Promise(() => {}))) });
  const inputs = Array.from({ length: 200 }, (_, index) => ({ index, input: `text ${index}` }));
  const failure = new Error("the index is closed");
  const onVector = async () => {
    throw failure;
  };
  const error = await computeVectors(engine, work, inputs, onVector).catch((thrown: unknown) => thrown);
  expect(error).toBe(failure);
  expect(engine.running()).toBe(0);
  expect(engine.requests).toHaveLength(4);
});
