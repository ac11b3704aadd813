import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNode } from "../../gpu-node/node";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { type RedisServer, redisBinary, startRedis } from "../../tests/redis-server";
import { until } from "../../tests/until";
import { startGateway } from "../gateway";

const ADMIN_KEY = "redis-tests-admin-key-0123456789abcdef";

/**
 * Maximum time for a complete answer: the synthetic engine, 50 ms of waiting for Redis, and what a busy machine adds.
 */
const MAX_ANSWER_MS = 500;

const TEST_MS = 30_000;

describe.skipIf(!redisBinary)("gateways with Redis behind their cache", () => {
  let redis: RedisServer;
  let node: Awaited<ReturnType<typeof startNode>>;
  let dataDir: string;

  beforeAll(async () => {
    redis = await startRedis();
    dataDir = await mkdtemp(join(tmpdir(), "groundwire-cache-"));
    const base = defaultConfig();
    node = await startNode({ ...base, node: { ...base.node, engine: "synthetic", port: 0 } }, { log: silentLog() });
    await node.ready;
  });
  afterAll(async () => {
    await node.close(0);
    await redis.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  /** A gateway on the shared data and Redis, with helpers for the tests. */
  const start = async () => {
    const base = defaultConfig();
    const gateway = await startGateway(
      {
        ...base,
        dataDir,
        store: { redisUrl: redis.url },
        gateway: { ...base.gateway, port: 0, nodes: [node.url], adminKey: ADMIN_KEY, requestsPerMinute: 100_000 },
      },
      silentLog(),
    );
    const call = (path: string, body?: object) =>
      fetch(gateway.url + path, {
        method: body ? "POST" : "GET",
        headers: { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" },
        body: body && JSON.stringify(body),
      });
    const chat = async (content: string, fields: object = {}) => {
      const startedAt = performance.now();
      const response = await call("/v1/chat/completions", {
        messages: [{ role: "user", content }],
        temperature: 0,
        ...fields,
      });
      const text = await response.text();
      const cache = response.headers.get("cache-status") ?? "";
      return { status: response.status, cache, text, tookMs: performance.now() - startedAt };
    };
    const redisStatus = async (): Promise<string> => {
      const { layers } = JSON.parse(await (await call("/v1/cache")).text());
      return layers.find(({ kind }: { kind: string }) => kind === "redis").status;
    };
    await until("the gateway knows its node and Redis", async () => {
      return (await call("/readyz")).status === 200 && (await redisStatus()) === "ok";
    });
    return { gateway, chat, call, redisStatus, close: () => gateway.close(0) };
  };

  test(
    "an answer from one gateway is a hit on another, streamed or not, and is invalidated on both",
    async () => {
      const [a, b] = [await start(), await start()];
      const first = await a.chat("Shared?");
      expect(first.cache).toContain("fwd=miss");
      const second = await b.chat("Shared?");
      expect(second.cache).toContain('detail="exact match in redis"');
      expect(JSON.parse(second.text).choices).toEqual(JSON.parse(first.text).choices);
      const streamed = await b.chat("Shared?", { stream: true });
      expect(streamed.cache).toContain('detail="exact match in memory"');
      expect(streamed.text).toEndWith("data: [DONE]\n\n");

      const { parts } = JSON.parse(
        await (
          await a.call("/v1/cache/explain", {
            request: { messages: [{ role: "user", content: "Shared?" }], temperature: 0 },
          })
        ).text(),
      );
      await a.call("/v1/cache/invalidate", { model: parts.model });
      await until(
        "the other gateway has invalidated the answer",
        async () => !(await b.chat("Shared?")).cache.includes("; hit"),
      );
      await a.close();
      await b.close();
    },
    TEST_MS,
  );

  test.each([
    ["killed", (server: RedisServer) => server.kill(), (server: RedisServer) => server.start()],
    ["frozen", (server: RedisServer) => server.freeze(), (server: RedisServer) => server.thaw()],
  ])(
    "a %s Redis causes no errors or delays, and is used again when it is back",
    async (_, stop, goOn) => {
      const { chat, redisStatus, close } = await start();
      await chat("Before.");
      await stop(redis);
      for (let i = 0; i < 20; i++) {
        const { status, tookMs } = await chat(`While it is gone: ${i}`);
        expect(status).toBe(200);
        expect(tookMs).toBeLessThan(MAX_ANSWER_MS);
      }
      expect((await chat("While it is gone: 1")).cache).toContain("; hit");
      expect(await redisStatus()).toBe("degraded");
      await goOn(redis);
      await until("Redis is used again", async () => (await redisStatus()) === "ok");
      expect((await chat("After.")).status).toBe(200);
      await close();
    },
    TEST_MS,
  );
});
