import { expect, test } from "bun:test";
import { fakeEngine } from "../../tests/engine-fake";
import { PRINCIPAL } from "../../tests/principal";
import { createModels } from "./registry";

const models = createModels({ engine: fakeEngine(), defaults: { chat: "not-here", embedding: "fake-embedder" } });
const resolve = (kind: "chat" | "embedding", id?: string) => models.resolve(PRINCIPAL, kind, id);

test("each kind has its default model, or its first model if no node has the default", () => {
  expect(
    models.list(PRINCIPAL).map(({ id, kind, dimensions, default: isDefault }) => [id, kind, dimensions, isDefault]),
  ).toEqual([
    ["fake-model", "chat", null, true],
    ["fake-embedder", "embedding", 2, true],
  ]);
  expect(resolve("chat").id).toBe("fake-model");
  expect(resolve("embedding")).toEqual({
    id: "fake-embedder",
    revision: "fake-revision",
    isKnown: true,
    contextWindow: 512,
    dimensions: 2,
    prefixes: null,
  });
});

test("a model of the other kind is rejected, and the error names its route", () => {
  for (const [kind, id, route] of [
    ["chat", "fake-embedder", "/v1/embeddings"],
    ["embedding", "fake-model", "/v1/chat/completions"],
  ] as const) {
    expect(() => resolve(kind, id)).toThrow(
      expect.objectContaining({ kind: "invalid_request", detail: { param: "model" } }),
    );
    expect(() => resolve(kind, id)).toThrow(route);
  }
  expect(() => resolve("embedding", "no-such-model")).toThrow(expect.objectContaining({ kind: "model_not_found" }));
});

test("before a node has reported its models, every name is accepted", () => {
  const early = createModels({ engine: { nodes: () => [] }, defaults: { chat: "a", embedding: "b" } });
  expect(early.resolve(PRINCIPAL, "embedding", undefined)).toEqual({
    id: "b",
    revision: "unknown",
    isKnown: false,
    contextWindow: null,
    dimensions: null,
    prefixes: null,
  });
});
