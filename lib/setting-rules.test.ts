import { expect, test } from "bun:test";
import { embedderOf } from "./setting-rules";
import { defaultConfig } from "./settings";

test("unless it is set, the embedder is of the engine's kind; beside a server there is none", () => {
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
