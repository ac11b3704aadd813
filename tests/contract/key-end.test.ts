import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { parseCacheControl } from "../../gateway/http/request-headers";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

/** A gateway whose answers take a minute, far longer than a test. */
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({ tokens: 1200, tokenMs: 50 });
});
afterAll(() => stack.close());

const PATIENCE_MS = 2000;

const newKey = async (settings: object = {}): Promise<{ id: string; key: string }> => {
  const body = { name: "leaving", role: "member", ...settings };
  const response = await stack.call("POST", "/v1/keys", { body });
  expect(response.status).toBe(201);
  return JSON.parse(await response.text());
};
const revoke = ({ id }: { id: string }) => stack.call("DELETE", `/v1/keys/${id}`);
const question = (content: string) => ({ messages: [{ role: "user", content }], temperature: 1, max_tokens: 1200 });

/** Sends `body`, waits for the first byte, calls `end` to revoke the key, and returns the whole response. */
const readUntilEnded = async (path: string, key: { id: string; key: string }, body: object, end: () => unknown) => {
  const response = await stack.call("POST", path, { key: key.key, body: { ...body, stream: true } });
  expect(response.status).toBe(200);
  const reader = response.body?.getReader();
  const first = await reader?.read();
  await end();
  const endedAt = performance.now();
  let text = new TextDecoder().decode(first?.value);
  for (;;) {
    const piece = await reader?.read();
    if (!piece || piece.done) break;
    text += new TextDecoder().decode(piece.value);
  }
  return { text, ms: performance.now() - endedAt };
};

describe("K4: a key that ends during an answer", () => {
  test.each(["/v1/chat/completions", "/v1/chat"])("ends its stream from %s with an error frame", async (path) => {
    const key = await newKey();
    const { text, ms } = await readUntilEnded(path, key, question(`of ${path}`), () => revoke(key));
    expect(ms).toBeLessThan(PATIENCE_MS);
    const frames = text.trim().split("\n\n");
    expect(JSON.parse(frames.at(-1)?.slice("data: ".length) ?? "").error).toMatchObject({ code: "invalid_api_key" });
    expect(text).not.toContain("[DONE]");
  });

  test("ends its stream when it expires", async () => {
    const key = await newKey({ expires_at: new Date(Date.now() + 1000).toISOString() });
    const { text, ms } = await readUntilEnded("/v1/chat", key, question("of expiry"), () => {});
    expect(ms).toBeLessThan(1000 + PATIENCE_MS);
    expect(text).toContain('"invalid_api_key"');
  });

  test("ends a non-streamed answer with 401 and does not affect other keys", async () => {
    const [leaving, staying] = [await newKey(), await newKey()];
    const ended = stack.call("POST", "/v1/chat", { key: leaving.key, body: question("same") });
    const left = new AbortController();
    const goesOn = fetch(`${stack.url}/v1/chat`, {
      method: "POST",
      headers: { authorization: `Bearer ${staying.key}`, "content-type": "application/json" },
      body: JSON.stringify(question("same")),
      signal: left.signal,
    }).then(
      () => "ended",
      () => "left",
    );
    await until("both run", () => stack.gateway.services.activeRequests.size === 2);
    await revoke(leaving);
    const response = await ended;
    expect([response.status, JSON.parse(await response.text()).error.code]).toEqual([401, "invalid_api_key"]);
    expect(stack.gateway.services.activeRequests.size).toBe(1);
    left.abort();
    expect(await goesOn).toBe("left");
    await until("nothing runs", () => stack.gateway.services.activeRequests.size === 0);
  });

  test("ends the answers of its conversations, which keep their text", async () => {
    const key = await newKey();
    const { conversations, keys } = stack.gateway.services;
    const principal = await keys.verify(`Bearer ${key.key}`);
    const asking = {
      requestId: "req",
      priority: "interactive",
      directives: parseCacheControl(undefined),
      receivedAt: performance.now(),
    } as const;
    const { conversation, generation } = await conversations.ask({ ...asking, principal }, "Tell me all.");
    await until("there is text", () => generation.state.content !== "");
    await revoke(key);
    await Promise.race([generation.done, Bun.sleep(PATIENCE_MS).then(() => Promise.reject(new Error("still runs")))]);
    const { messages } = await conversations.get(principal, conversation.id);
    expect(messages.at(-1)).toMatchObject({ status: "stopped", content: generation.state.content });
  });
});

describe("x-deadline-ms", () => {
  const ask = (deadline: string, stream: boolean) =>
    stack.call("POST", "/v1/chat", {
      body: { ...question(`within ${deadline}`), stream },
      headers: { "x-deadline-ms": deadline },
    });

  test("ends an answer with 504, and a stream with an error frame", async () => {
    const startedAt = performance.now();
    const [whole, streamed] = await Promise.all([ask("300", false), ask("300", true)]);
    expect([whole.status, streamed.status]).toEqual([504, 200]);
    expect(await whole.text()).toContain('"deadline_exceeded"');
    expect(await streamed.text()).toContain('"deadline_exceeded"');
    expect(performance.now() - startedAt).toBeLessThan(300 + PATIENCE_MS);
  });

  test.each(["0", "-1", "soon", "1.5"])("of %j is rejected", async (deadline) => {
    expect((await ask(deadline, false)).status).toBe(400);
  });
});
