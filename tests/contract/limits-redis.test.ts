import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startGateway } from "../../gateway/gateway";
import { silentLog } from "../../lib/log";
import { type RedisServer, redisBinary, startRedis } from "../redis-server";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

describe.skipIf(!redisBinary)("two gateways with one Redis", () => {
  let redis: RedisServer;
  let stack: Stack;
  let other: Awaited<ReturnType<typeof startGateway>>;
  let urls: string[];
  beforeAll(async () => {
    redis = await startRedis();
    stack = await startStack({ tokens: 8, tokenMs: 20 }, { store: { redisUrl: redis.url } });
    other = await startGateway(stack.config, silentLog());
    urls = [stack.url, other.url];
    await until("both know each other", () =>
      [stack.gateway, other].every(({ services }) => services.ledger.state().gateways === 2),
    );
  });
  afterAll(async () => {
    await other.close(0);
    await stack.close();
    await redis.stop();
  });

  const get = (url: string, key: string, path = "/v1/models") =>
    fetch(url + path, { headers: { authorization: `Bearer ${key}` } });
  /** The statuses of parallel requests, in turns to both gateways. */
  const burst = async (key: string, requests: number) => {
    const responses = await Promise.all(
      Array.from({ length: requests }, (_, n) => get(urls[n % urls.length] as string, key)),
    );
    await Promise.all(responses.map((response) => response.text()));
    return Map.groupBy(responses, ({ status }) => status);
  };

  test("1,000 parallel requests of one key with a limit: never one too many", async () => {
    const key = await stack.keyOf("member", { requests_per_minute: 300, parallel_requests: 1000 });
    const counts = await burst(key, 1000);
    expect([counts.get(200)?.length, counts.get(429)?.length]).toEqual([300, 700]);
    for (const response of counts.get(429) ?? [])
      expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(other.services.ledger.state().status).toBe("ok");
  });

  test("tokens are reserved and settled for both", async () => {
    const key = await stack.keyOf("member", { tokens_per_minute: 1000 });
    const used: number[] = [];
    for (const url of urls) {
      const response = await fetch(`${url}/v1/chat`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({ messages: [{ role: "user", content: `to ${url}` }], max_tokens: 8 }),
      });
      used.push(((await response.json()) as { usage: { total_tokens: number } }).usage.total_tokens);
    }
    const total = used.reduce((sum, tokens) => sum + tokens);
    for (const url of urls) {
      await until("both are settled", async () => {
        const { limits } = (await (await get(url, key, "/v1/limits/explain")).json()) as {
          limits: { name: string; used: number }[];
        };
        return limits.find(({ name }) => name === "tokens_per_minute")?.used === total;
      });
    }
  });

  test("Redis killed: each grants its share, the loss is shown, and a key that must not go on gets 503", async () => {
    const key = await stack.keyOf("member", { requests_per_minute: 100, parallel_requests: 1000 });
    const strict = await stack.keyOf("member", { on_store_loss: "refuse" });
    for (const url of urls) expect((await get(url, strict)).status).toBe(200);
    for (let n = 0; n < 100; n++) expect((await get(stack.url, key)).status).toBe(200);
    await redis.kill();
    // Everything was used through the first gateway. The other one grants its share of 50: 1.5 times the limit.
    const counts = await burst(key, 300);
    expect([counts.get(200)?.length, counts.get(429)?.length]).toEqual([50, 250]);
    for (const url of urls) {
      const refused = await get(url, strict);
      expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
      const readiness = async () => (await (await fetch(`${url}/readyz`)).json()) as { degraded: { code: string }[] };
      await until("the loss is shown", async () =>
        (await readiness()).degraded.some(({ code }) => code === "limits_local"),
      );
      expect((await get(url, strict)).headers.get("x-degraded")).toContain("limits_local");
    }
    await redis.start();
    await until("Redis is used again", () =>
      [stack.gateway, other].every(({ services }) => services.ledger.state().status === "ok"),
    );
    expect((await get(stack.url, strict)).status).toBe(200);
    // Redis lost its data: the gateways restored what they counted.
    expect((await burst(key, 10)).get(200)).toBeUndefined();
  });
});
