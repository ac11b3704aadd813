import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Readiness } from "../../gateway/health/contract";
import { Stack, statusOf, until } from "../harness";

let stack: Stack;
beforeAll(async () => {
  stack = await Stack.start({ engine: "llama" });
}, 120_000);
afterAll(() => stack.stop());

const STREAMS = 4;

/** A stream that has begun, and all of its text with the time of its end once it has ended. */
const begin = async (index: number) => {
  const response = await stack.fetch("/v1/chat/completions", {
    body: {
      messages: [{ role: "user", content: `Write a long story about the number ${index}.` }],
      max_tokens: 2000,
      temperature: 1,
      stream: true,
    },
  });
  const reader = response.body?.getReader();
  if (!reader) throw new Error("The answer has no body.");
  const decoder = new TextDecoder();
  let text = decoder.decode((await reader.read()).value, { stream: true });
  const rest = async () => {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) text += decoder.decode(piece.value);
    return { text, endedAt: performance.now() };
  };
  return rest();
};

test("kill -9 of the node ends every stream with an error event within a second; the gateway says so and recovers", async () => {
  const streams: ReturnType<typeof begin>[] = [];
  for (let index = 0; index < STREAMS; index++) streams.push(begin(index));
  await until("all streams run", async () => (await stack.nodeState()).slots.running === STREAMS);

  const killedAt = performance.now();
  stack.node.signal("SIGKILL");
  for (const { text, endedAt } of await Promise.all(streams)) {
    expect(endedAt - killedAt).toBeLessThan(1000);
    expect(text).not.toContain("[DONE]");
    const last = text.trimEnd().split("\n").at(-1) ?? "";
    expect(JSON.parse(last.replace(/^data: /, ""))).toMatchObject({
      error: { code: expect.stringMatching(/^(upstream_error|unavailable)$/), source: "gateway" },
    });
  }

  await until("/readyz is red", async () => (await statusOf(`${stack.url}/readyz`)) === 503);
  const readiness = (await (await fetch(`${stack.url}/readyz`)).json()) as Readiness;
  expect(readiness.dependencies.find(({ name }) => name.startsWith("engine:"))?.status).toBe("down");
  const refused = await stack.fetch("/v1/chat", { body: { messages: [{ role: "user", content: "Anyone?" }] } });
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).not.toBeNull();

  await stack.restartNode();
  await until("/readyz is green", async () => (await statusOf(`${stack.url}/readyz`)) === 200);
  const answered = await stack.fetch("/v1/chat", {
    body: { messages: [{ role: "user", content: "Are you back?" }], max_tokens: 4 },
  });
  expect(answered.status).toBe(200);
});
