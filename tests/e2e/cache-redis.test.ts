import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ChatAnswer } from "../../gateway/chat/contract";
import { readEvents, Stack } from "../harness";
import { type RedisServer, startRedis } from "../redis-server";

let redis: RedisServer;
let stack: Stack;
beforeAll(async () => {
  redis = await startRedis();
  stack = await Stack.start({ engine: "llama", env: { REDIS_URL: redis.url } });
}, 120_000);
afterAll(async () => {
  await stack.stop();
  await redis.stop();
});

const ask = (content: string) => ({ messages: [{ role: "user", content }], max_tokens: 16, temperature: 0 });
const chat = async (content: string) =>
  (await (await stack.fetch("/v1/chat", { body: ask(content) })).json()) as ChatAnswer;

test("a new gateway finds the answer in Redis, complete or streamed", async () => {
  const first = await chat("Name three rivers.");
  expect(first.cache.status).toBe("miss");
  const before = await stack.nodeTokens();

  await stack.restartGateway();
  const again = await chat("Name three rivers.");
  expect(again.cache).toMatchObject({ status: "hit", kind: "redis" });
  expect(again.message).toEqual(first.message);

  await stack.restartGateway();
  const streamed = await stack.fetch("/v1/chat", { body: { ...ask("Name three rivers."), stream: true } });
  expect(streamed.headers.get("cache-status")).toContain("hit");
  expect((await readEvents(streamed)).length).toBeGreaterThan(1);
  expect(await stack.nodeTokens()).toEqual(before);
});

test("a frozen or killed Redis causes misses, never errors", async () => {
  redis.freeze();
  expect((await chat("Name three lakes.")).cache.status).toBe("miss");
  expect((await stack.fetch("/readyz")).status).toBe(200);
  redis.thaw();

  await redis.kill();
  expect((await chat("Name three seas.")).cache.status).toBe("miss");
  expect((await stack.fetch("/readyz")).status).toBe(200);
  await redis.start();
});
