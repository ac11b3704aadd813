import { describe, expect, test } from "bun:test";
import type { Config } from "../../lib/config";
import { testConfig } from "../../tests/test-node";
import type { EngineEvent } from "./engine";
import { createSyntheticEngine } from "./synthetic";

const run = async (
  body: Record<string, unknown>,
  synthetic: Partial<Config["synthetic"]> = {},
  controller = new AbortController(),
) => {
  const engine = createSyntheticEngine(testConfig({ synthetic }));
  const accepted = await engine.accept({
    operation: "completion",
    body,
    priority: "interactive",
    signal: controller.signal,
  });
  const events: EngineEvent[] = [];
  for await (const event of accepted.start()) events.push(event);
  const text = events.map((event) => (event.type === "delta" ? event.text : "")).join("");
  return { text, events, end: events.at(-1) };
};

describe("the synthetic engine", () => {
  test("gives the same words for the same request and seed, and different ones for a different seed", async () => {
    const [first, again, seeded] = [
      await run({ prompt: "Hi" }),
      await run({ prompt: "Hi" }),
      await run({ prompt: "Hi", seed: 4 }),
    ];
    expect(first.text).toBe(again.text);
    expect(first.text).not.toBe(seeded.text);
  });

  test("counts tokens exactly and stops at max_tokens", async () => {
    const { end, events } = await run({ prompt: "one two", max_tokens: 3 });
    expect(events).toHaveLength(4);
    expect(end).toEqual({
      type: "end",
      finishReason: "length",
      usage: { promptTokens: 2, completionTokens: 3, cachedTokens: 0 },
    });
  });

  test("ends before a stop string, even one that spans tokens", async () => {
    const { text } = await run({ prompt: "Hi" });
    const [first = "", second = "", third = ""] = text.split(" ");
    const stop = `${second.slice(-1)} ${third.slice(0, 1)}`;
    const stopped = await run({ prompt: "Hi", stop: [stop, "never"] });
    expect(stopped.text).toBe(text.slice(0, text.indexOf(stop)));
    expect(stopped.text).toStartWith(first);
    expect(stopped.end).toMatchObject({ finishReason: "stop" });
  });

  test("respects the configured delays", async () => {
    const startedAt = performance.now();
    await run({ prompt: "Hi" }, { firstTokenMs: 20, tokenMs: 5, tokens: 5 });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(38);
  });

  test("yields to other work in a long answer without delays, and ends when it is cancelled", async () => {
    const controller = new AbortController();
    const answer = run({ prompt: "Hi" }, { tokens: 3000 }, controller);
    setImmediate(() => controller.abort(new Error("cancelled")));
    await expect(answer).rejects.toThrow("cancelled");
  });

  test("rejects unsupported parameters by name", async () => {
    const engine = createSyntheticEngine(testConfig());
    const body = { messages: [{ role: "user", content: "Hi" }], response_format: { type: "json_object" } };
    const { signal } = new AbortController();
    await expect(engine.accept({ operation: "chat", body, priority: "interactive", signal })).rejects.toMatchObject({
      kind: "invalid_request",
      detail: { param: "response_format" },
    });
  });
});
