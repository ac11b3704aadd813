import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Readiness } from "../../gateway/health/contract";
import { Stack, statusOf } from "../harness";
import { until } from "../until";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ engine: "llama" });
}, 120_000);
afterAll(() => stack.stop());

const STREAMS = 4;

/** Starts a stream and resolves with its first piece; `rest` resolves with the complete text and the end time. */
const begin = async (index: number) => {
  const response = await stack.fetch("/v1/chat/completions", {
    body: {
      messages: [{ role: "user", content: `Write a long story about the number ${index}.` }],
      max_tokens: 2000,
      temperature: 1,
      stream: true,
    },
  });
  if (!response.ok || !response.body) throw new Error(`${response.status}: ${await response.text()}`);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = decoder.decode((await reader.read()).value, { stream: true });
  const read = async () => {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      text += decoder.decode(piece.value, { stream: true });
    }
    return { text, endedAt: performance.now() };
  };
  return { rest: read() };
};

test("after kill -9 of the node, every stream ends with an error event within a second, and the gateway recovers", async () => {
  const streams = await Promise.all(Array.from({ length: STREAMS }, (_, index) => begin(index)));
  expect((await stack.nodeState()).slots.running).toBe(STREAMS);

  const killedAt = performance.now();
  stack.node.signal("SIGKILL");
  for (const { text, endedAt } of await Promise.all(streams.map(({ rest }) => rest))) {
    expect(endedAt - killedAt).toBeLessThan(1000);
    expect(text).not.toContain("[DONE]");
    const last = text.trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(last.replace(/^data: /, ""))).toMatchObject({
      error: { code: expect.stringMatching(/^(upstream_error|unavailable)$/), source: "node" },
    });
  }

  await until("/readyz returns 503", async () => (await statusOf(`${stack.url}/readyz`)) === 503);
  const readiness = (await (await fetch(`${stack.url}/readyz`)).json()) as Readiness;
  expect(readiness.dependencies.find(({ name }) => name.startsWith("engine:"))?.status).toBe("down");
  const refused = await stack.fetch("/v1/chat", { body: { messages: [{ role: "user", content: "Anyone?" }] } });
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).not.toBeNull();

  await stack.restartNode();
  await until("/readyz returns 200", async () => (await statusOf(`${stack.url}/readyz`)) === 200);
  const answered = await stack.fetch("/v1/chat", {
    body: { messages: [{ role: "user", content: "Are you back?" }], max_tokens: 4 },
  });
  expect(answered.status).toBe(200);
});
