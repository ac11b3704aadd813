import { expect, test } from "bun:test";
import { AppError } from "../../lib/errors";
import { fakeEngine } from "../../tests/engine-fake";
import { callOf } from "../../tests/principal";
import { computeBatches, inCallersWords, type NodeWork } from "./batches";
import { readVectors } from "./vectors";

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
  totalMs: 10_000,
  nameOf: (index) => `input.${index}`,
};

test("a consumer that fails aborts the other batches, and its error is thrown", async () => {
  let pieces = 0;
  const engine = fakeEngine({ beforePiece: async () => void (pieces++ > 0 && (await new Promise(() => {}))) });
  const inputs = Array.from({ length: 200 }, (_, index) => ({ index, input: `text ${index}` }));
  const failure = new Error("the index is closed");
  const route = {
    route: "/v1/embeddings" as const,
    bodyOf: (input: readonly string[]) => ({ model: work.model.id, input }),
    read: readVectors,
  };
  const onVector = async () => {
    throw failure;
  };
  const error = await computeBatches(engine, work, inputs, route, onVector).catch((thrown: unknown) => thrown);
  expect(error).toBe(failure);
  expect(engine.running()).toBe(0);
  expect(engine.requests).toHaveLength(4);
});

test("a node's error about one input names it as in the caller's request", () => {
  for (const name of ["input", "documents"]) {
    const refusal = new AppError("context_length_exceeded", `Too long. ${name}.1 has 513. Shorten it.`, {
      param: `${name}.1`,
    });
    const { message, detail } = inCallersWords(refusal, (index) => `${name}.${index + 40}`);
    expect([message, detail.param]).toEqual([`Too long. ${name}.41 has 513. Shorten it.`, `${name}.41`]);
  }
  const other = new AppError("overloaded", "Full.", { retryAfterMs: 10 });
  expect(inCallersWords(other, () => "x")).toBe(other);
});
