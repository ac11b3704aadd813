import { expect, test } from "bun:test";
import type { ModelCapabilities } from "../../gpu-node/protocol";
import { fakeEngine } from "../../tests/engine-fake";
import { PRINCIPAL } from "../../tests/principal";
import type { NodeView } from "../ports/engine";
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
    capabilities: expect.objectContaining({ chat: false, dimensions: true, max_output_tokens: null }),
  });
});

const CAPABILITIES: ModelCapabilities = {
  ...{ chat: true, tools: true, vision: true, audio_input: false, reasoning: true, json_schema: true },
  ...{ logprobs: true, max_choices: 8, dimensions: false, rerank: false, max_output_tokens: 4096 },
  extra_fields: ["min_tokens", "chat_template", "ignore_eos"],
};

/** The capabilities of a model that the nodes report. */
const reported = (...nodes: (ModelCapabilities | undefined)[]) => {
  const [view] = fakeEngine().nodes();
  const model = { id: "m", kind: "chat" as const, revision: "r", context_window: 4096 };
  const views = nodes.flatMap((capabilities): NodeView[] =>
    view?.readiness ? [{ ...view, readiness: { ...view.readiness, models: [{ ...model, capabilities }] } }] : [],
  );
  const registry = createModels({ engine: { nodes: () => views }, defaults: { chat: "m", embedding: "" } });
  return registry.get(PRINCIPAL, "m").capabilities;
};

test("a chat model on a node that reports no capabilities has chat, json_schema and logprobs", () => {
  expect(reported(undefined)).toEqual({
    ...{ chat: true, tools: false, vision: false, audio_input: false, reasoning: false, json_schema: true },
    ...{ logprobs: true, max_choices: 1, dimensions: false, rerank: false, max_output_tokens: 4096, extra_fields: [] },
  });
});

test("fields that are never forwarded are not shown, even if a node reports them", () => {
  expect(reported(CAPABILITIES).extra_fields).toEqual(["min_tokens", "ignore_eos"]);
});

test("a model on several nodes can do only what all of them can", () => {
  const other = {
    ...CAPABILITIES,
    vision: false,
    max_choices: 4,
    max_output_tokens: 9000,
    extra_fields: ["ignore_eos"],
  };
  for (const common of [reported(CAPABILITIES, other), reported(other, CAPABILITIES)]) {
    expect(common).toEqual({
      ...CAPABILITIES,
      ...{ vision: false, max_choices: 4, max_output_tokens: 4096, extra_fields: ["ignore_eos"] },
    });
  }
});

test("a key reads images or audio if one of its models does", () => {
  const [view] = fakeEngine().nodes();
  const named = (id: string, change: Partial<ModelCapabilities>) => ({
    ...{ id, kind: "chat" as const, revision: "r", context_window: 4096 },
    capabilities: { ...CAPABILITIES, vision: false, ...change },
  });
  const models = [named("text", {}), named("images", { vision: true }), named("audio", { audio_input: true })];
  const views = view?.readiness ? [{ ...view, readiness: { ...view.readiness, models } }] : [];
  const registry = createModels({ engine: { nodes: () => views }, defaults: { chat: "text", embedding: "" } });
  const reads = (...allowedModels: string[]) => registry.readsMedia({ ...PRINCIPAL, allowedModels });
  expect([reads("text"), reads("text", "images"), reads("audio"), reads()]).toEqual([false, true, true, false]);
  expect(registry.readsMedia(PRINCIPAL)).toBe(true);
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
    capabilities: null,
  });
});

test("an unknown model is awaited until a node has reported, or for longer if it has fallbacks", () => {
  const views: NodeView[] = [];
  const registry = createModels({
    engine: { nodes: () => views },
    defaults: { chat: "a", embedding: "b" },
    fallbacks: ["c", "fake-model"],
  });
  const awaited = () => ["a", "c", "fake-model", undefined].filter((id) => registry.isAwaited(PRINCIPAL, id));
  expect([awaited(), registry.isAwaited(PRINCIPAL, undefined), registry.isAwaited(PRINCIPAL, 5)]).toEqual([
    ["a", "c", "fake-model"],
    true,
    false,
  ]);
  expect(registry.isAwaited({ ...PRINCIPAL, allowedModels: ["c"] }, "a")).toBe(false);
  views.push(...fakeEngine().nodes());
  registry.list(PRINCIPAL);
  expect([awaited(), registry.isAwaited(PRINCIPAL, undefined)]).toEqual([["c"], false]);
});
