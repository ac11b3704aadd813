import { expect, test } from "bun:test";
import { embedderOf } from "./setting-rules";
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
