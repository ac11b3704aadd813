import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { type RedisServer, redisBinary, startRedis } from "../../tests/redis-server";
import { until } from "../../tests/until";
import type { Cache } from "../ports/cache";
import { cacheContract } from "../ports/cache.contract";
import { layeredCache } from "./cache-layered";
import { redisCache } from "./cache-redis";

/** Maximum wait that the adapter promises. */
const PROMISED_MS = 50;
/** Tolerance for late timers on a busy machine. */
const MARGIN_MS = 50;

const entry = (value: string, tags: string[] = []) => ({
  value,
  storedAt: new Date(),
  expiresAt: new Date(Date.now() + 60_000),
  tags,
});

const status = async (cache: Cache) => (await cache.stats()).find(({ layer }) => layer === "redis")?.status;

/** Reads `count` times in sequence. Every read must be a miss. */
const misses = async (cache: Cache, key: string, count: number): Promise<void> => {
  for (let i = 0; i < count; i++) expect(await cache.get(key)).toBeUndefined();
};

const durationMs = async (work: () => Promise<unknown>): Promise<number> => {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
};

/** How much longer `work` takes than a parallel timer of the promised length. The machine's load delays both. */
const beyondPromiseMs = async (work: () => Promise<unknown>): Promise<number> => {
  const [workMs, timerMs] = await Promise.all([durationMs(work), durationMs(() => Bun.sleep(PROMISED_MS))]);
  return workMs - timerMs;
};

describe.skipIf(!redisBinary)("with a real Redis", () => {
  let server: RedisServer;
  let prefixes = 0;
  const open: Cache[] = [];
  const shared = async (prefix = `test${++prefixes}`) => {
    const cache = redisCache(server.url, { prefix });
    open.push(cache);
    await cache.open();
    return cache;
  };
  const layered = async (prefix: string) => {
    const cache = layeredCache(redisCache(server.url, { prefix }), { maxBytes: 1_000_000 });
    open.push(cache);
    await cache.open();
    return cache;
  };

  beforeAll(async () => {
    server = await startRedis();
  });
  // If a test fails during a freeze, the next tests must not fail too.
  afterEach(() => server.thaw());
  afterAll(async () => {
    await Promise.all(open.map((cache) => cache.close()));
    await server.stop();
  });

  cacheContract("redis", () => redisCache(server.url, { prefix: `test${++prefixes}` }));
  cacheContract("memory in front of redis", () =>
    layeredCache(redisCache(server.url, { prefix: `test${++prefixes}` }), { maxBytes: 10_000_000 }),
  );

  test("an entry stored by one gateway is found by another, even after a restart", async () => {
    const [a, b] = [await layered("pair"), await layered("pair")];
    await a.set("k", entry("answer"));
    expect((await b.get("k"))?.layer).toBe("redis");
    expect((await b.get("k"))?.layer).toBe("memory");
  });

  test("an entry deleted by one gateway disappears from another one's memory", async () => {
    const [a, b] = [await layered("drop"), await layered("drop")];
    await a.set("one", entry("1", ["model:x"]));
    await a.set("two", entry("2"));
    await b.get("one");
    await b.get("two");
    await a.deleteTag("model:x");
    await a.delete("two");
    await until("the other gateway has dropped both", async () => !(await b.get("one")) && !(await b.get("two")));
  });

  test("an unreadable message empties the memory, because any entry may have been deleted", async () => {
    const cache = await layered("strange");
    await cache.set("k", entry("1"));
    const redis = new Redis(server.url);
    await redis.del("strange:entry:k");
    for (const message of ["not JSON", "null", '{"other":1}']) await redis.publish("strange:dropped", message);
    redis.disconnect();
    await until("the memory is empty", async () => (await cache.get("k")) === undefined);
  });

  test("expired keys are removed from a tag's index in Redis", async () => {
    let now = Date.now();
    const cache = redisCache(server.url, { prefix: "index", now: () => now });
    open.push(cache);
    await cache.open();
    await cache.set("a", entry("1", ["t"]));
    now += 120_000;
    await cache.set("b", { ...entry("2", ["t"]), expiresAt: new Date(now + 1000) });
    const redis = new Redis(server.url);
    expect(await redis.zrange("index:tag:t", "0", "-1")).toEqual(["b"]);
    redis.disconnect();
  });

  test("a value written by another program is a miss", async () => {
    const redis = new Redis(server.url);
    await redis.set("foreign:entry:k", "not ours");
    await redis.lpush("foreign:entry:list", "x");
    redis.disconnect();
    const cache = await shared("foreign");
    expect(await cache.get("k")).toBeUndefined();
    expect(await cache.get("list")).toBeUndefined();
    expect(await status(cache)).toBe("ok");
  });

  test("a killed Redis causes misses but no errors or waits, and recovers by itself", async () => {
    const cache = await shared();
    await cache.set("k", entry("1"));
    await server.kill();
    // If each read waited, this would take 10 s.
    expect(await durationMs(() => misses(cache, "k", 200))).toBeLessThan(2000);
    expect(await cache.set("k", entry("2"))).toBe(false);
    expect(await status(cache)).toBe("degraded");
    await server.start();
    await until("Redis is back", () => cache.set("k", entry("3")));
    expect((await cache.get("k"))?.value).toBe("3");
    expect(await status(cache)).toBe("ok");
  });

  test("a frozen Redis causes one wait of 50 ms, and recovers by itself", async () => {
    const cache = await shared();
    await cache.set("k", entry("1"));
    server.freeze();
    expect(await beyondPromiseMs(() => misses(cache, "k", 1))).toBeLessThan(MARGIN_MS);
    // If each read waited, this would take 50 s.
    expect(await durationMs(() => misses(cache, "k", 1000))).toBeLessThan(2000);
    expect(await status(cache)).toBe("degraded");
    server.thaw();
    await until("Redis is back", async () => (await cache.get("k")) !== undefined);
    expect(await status(cache)).toBe("ok");
  });

  test("callers that are waiting when Redis freezes wait 50 ms together, not one after another", async () => {
    const cache = await shared();
    await cache.set("k", entry("1"));
    server.freeze();
    const together = () => Promise.all(Array.from({ length: 100 }, () => misses(cache, "k", 1)));
    expect(await beyondPromiseMs(together)).toBeLessThan(MARGIN_MS);
    server.thaw();
    await until("Redis is back", async () => (await cache.get("k")) !== undefined);
  });

  test("the cache recovers after a freeze that closes the connection", async () => {
    const cache = await shared();
    await cache.set("k", entry("1"));
    server.freeze();
    const frozenAt = Date.now();
    await until("the connection is closed", async () => {
      expect(await cache.get("k")).toBeUndefined();
      return Date.now() - frozenAt > 2500;
    });
    server.thaw();
    await until("Redis is back", async () => (await cache.get("k")) !== undefined);
  }, 15_000);

  test("invalidations during a freeze are applied before anything is read from Redis again", async () => {
    const cache = await shared();
    await cache.set("k", entry("stale", ["model:x"]));
    await cache.set("other", entry("fine"));
    server.freeze();
    expect(await cache.deleteTag("model:x")).toBe(0);
    server.thaw();
    await until("Redis is back", async () => (await cache.get("other")) !== undefined);
    expect(await cache.get("k")).toBeUndefined();
  });

  test("the memory cache works while Redis is down", async () => {
    const cache = await layered("alone");
    await server.kill();
    await until("the outage is detected", async () => (await status(cache)) === "degraded");
    expect(await cache.set("k", entry("1"))).toBe(true);
    expect((await cache.get("k"))?.layer).toBe("memory");
    await server.start();
    await until("Redis is back", async () => (await status(cache)) === "ok");
  });
});

test("if Redis is unreachable at the start, the cache is degraded, without an error", async () => {
  const cache = redisCache("redis://127.0.0.1:1");
  await cache.open();
  expect(await cache.get("k")).toBeUndefined();
  expect((await cache.stats())[0]).toMatchObject({ status: "degraded", entries: 0 });
  await cache.close();
});
