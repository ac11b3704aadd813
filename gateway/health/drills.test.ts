import { expect, test } from "bun:test";
import { defaultConfig } from "../../lib/settings";
import { fakeEngine } from "../../tests/engine-fake";
import { layeredCache } from "../adapters/cache-layered";
import { memoryCache } from "../adapters/cache-memory";
import type { Engine, EngineRequest, NodeView } from "../ports/engine";
import { drillEffects, drilledEngine, noEffectReasons } from "./drills";

const nodesOf = (...states: NodeView["state"][]) => {
  const drained: [id: string, isDrained: boolean][] = [];
  const [view] = fakeEngine().nodes();
  if (!view) throw new Error("The fake engine has one node.");
  const engine: Pick<Engine, "nodes" | "drain"> = {
    nodes: () => states.map((state, index) => ({ ...view, id: `node-${index}`, state })),
    drain: (id, isDrained) => void drained.push([id, isDrained]),
  };
  return { engine, drained };
};

const memory = () => memoryCache({ maxBytes: 1_000_000 });

test("the drill of fewer_nodes drains one of several working nodes and puts it back", () => {
  const { engine, drained } = nodesOf("ready", "busy", "down");
  const { fewer_nodes: drill } = drillEffects(engine, memory(), {});
  drill?.(true);
  drill?.(false);
  drill?.(false);
  expect(drained).toEqual([
    ["node-1", true],
    ["node-1", false],
  ]);
});

test("the drill of fewer_nodes never drains the only working node", () => {
  const { engine, drained } = nodesOf("ready", "down", "loading");
  const { fewer_nodes: drill } = drillEffects(engine, memory(), {});
  drill?.(true);
  drill?.(false);
  expect(drained).toEqual([]);
});

test("during the drill of cache_local, answers are neither read from Redis nor written to it", async () => {
  const redis = memory();
  const layered = layeredCache({ ...redis, listen: () => {} }, { maxBytes: 1_000_000 });
  const { cache_local: drill } = drillEffects(nodesOf("ready").engine, layered, {});
  const entry = { value: "x", storedAt: new Date(), expiresAt: new Date(Date.now() + 60_000), tags: [] };
  await redis.set("shared", entry);
  drill?.(true);
  await layered.set("local", entry);
  expect([await layered.get("shared"), (await layered.get("local"))?.value, redis.get("local")]).toEqual([
    undefined,
    "x",
    undefined,
  ]);
  drill?.(false);
  expect((await layered.get("shared"))?.value).toBe("x");
});

test("during the drill of limits_local, the shared store of limits is not used", () => {
  const calls: boolean[] = [];
  const limits = { detach: (isDetached: boolean) => void calls.push(isDetached) };
  const { limits_local: drill } = drillEffects(nodesOf("ready").engine, memory(), limits);
  drill?.(true);
  drill?.(false);
  expect(calls).toEqual([true, false]);
});

const request = (): EngineRequest => ({
  ...{ route: "/v1/chat/completions", model: "large", body: "large's body", stream: false, requestId: "req_1" },
  ...{ fairKey: "key_1", priority: "interactive", deadlineMs: 1000, signal: new AbortController().signal },
  fallbacks: { models: ["fake-model"], bodyFor: (model) => `body for ${model}` },
});

test("during the drill of fallback_model, the first fallback answers, with its own body", async () => {
  const engine = fakeEngine();
  const reply = await drilledEngine(engine, { isDrill: (code) => code === "fallback_model" }).request(request());
  expect([reply.fallbackModel, engine.requests[0]?.body]).toEqual(["fake-model", "body for fake-model"]);
});

test("during the drill of cached_only, no request reaches a node", async () => {
  const engine = fakeEngine();
  const refused = drilledEngine(engine, { isDrill: (code) => code === "cached_only" }).request(request());
  expect(refused).rejects.toMatchObject({ kind: "unavailable", detail: { retryAfterMs: 5000 } });
  await refused.catch(() => {});
  expect(engine.requests).toEqual([]);
});

test.each([
  ["cache_local", "REDIS_URL is not set", { store: { redisUrl: "redis://127.0.0.1" } }],
  ["limits_local", "REDIS_URL is not set", { store: { redisUrl: "redis://127.0.0.1" } }],
  ["fallback_model", "lists fewer than two models", { models: { fallbacks: ["large", "small"] } }],
] as const)("a drill of %s says that it changes nothing (%s) if the setting is blank", (code, reason, settings) => {
  const { engine } = nodesOf("ready", "ready");
  expect(noEffectReasons(defaultConfig(), engine)(code)).toContain(reason);
  expect(noEffectReasons(defaultConfig(settings as never), engine)(code)).toBeUndefined();
});

test("a drill of fewer_nodes says that it never drains the last node, and one of no_jobs that workers keep running", () => {
  const reasonWith = (...states: Parameters<typeof nodesOf>) =>
    noEffectReasons(defaultConfig(), nodesOf(...states).engine);
  expect(reasonWith("ready", "down")("fewer_nodes")).toContain("never drains the last one");
  expect(reasonWith("ready", "ready")("fewer_nodes")).toBeUndefined();
  expect(reasonWith("ready")("no_jobs")).toBe("workers keep running");
  for (const code of ["cached_only", "keyword_only", "cache_off", "fewer_tokens", "no_evals"] as const) {
    expect(reasonWith("ready")(code)).toBeUndefined();
  }
});
