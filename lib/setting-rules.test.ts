import { expect, test } from "bun:test";
import { embedderOf, findContradictions, rerankerOf } from "./setting-rules";
import { defaultConfig } from "./settings";

test("by default, the embedder matches the engine, and is off if the engine is a server", () => {
  const resolved = (["llama", "openai", "synthetic"] as const).map((engine) => {
    const { node } = defaultConfig();
    return [embedderOf({ ...node, engine }), embedderOf({ ...node, engine, embedder: "llama" })];
  });
  expect(resolved).toEqual([
    ["llama", "llama"],
    ["off", "llama"],
    ["synthetic", "llama"],
  ]);
});

test("a node has no reranker by default, and at most one, from a file or a server", () => {
  const file = { rerank: "reranker.gguf" };
  const server = { rerankerUrl: "http://127.0.0.1:8080" };
  expect(rerankerOf(defaultConfig())).toBe("off");
  expect(rerankerOf(defaultConfig({ models: file }))).toBe("llama");
  expect(rerankerOf(defaultConfig({ node: server }))).toBe("openai");
  const both = findContradictions(defaultConfig({ models: file, node: server }));
  expect(both.map(({ path }) => path)).toEqual(["GROUNDWIRE_NODE_RERANKER_URL"]);
});

test("O1: both processes listen on loopback by default, and a node elsewhere needs a token and TLS", () => {
  const { gateway, node } = defaultConfig();
  expect([gateway.host, node.host]).toEqual(["127.0.0.1", "127.0.0.1"]);
  const missing = (change: Partial<typeof node>, nodeToken?: string) =>
    findContradictions(defaultConfig({ node: change, gateway: { nodeToken } })).map(({ path }) => path);
  for (const host of ["127.0.0.1", "::1", "localhost"]) expect(missing({ host })).toEqual([]);
  for (const host of ["0.0.0.0", "::", "10.0.0.5", "node.example.com", "127.0.0.1.example.com"]) {
    expect(missing({ host })).toEqual(["GROUNDWIRE_NODE_TOKEN", "GROUNDWIRE_NODE_TLS_CERT"]);
    expect(missing({ host, trustNetwork: true }, "a token of the node")).toEqual([]);
    expect(missing({ host }, "a token of the node")).toEqual(["GROUNDWIRE_NODE_TLS_CERT"]);
  }
});
