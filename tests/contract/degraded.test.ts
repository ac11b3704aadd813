import { afterAll, beforeAll, describe, expect, setSystemTime, test } from "bun:test";
import type { ChatAnswer } from "../../gateway/chat/contract";
import {
  DEGRADATION_CODES,
  type DegradationCode,
  type DegradedMode,
  type Readiness,
} from "../../gateway/health/contract";
import { type RunningNode, startNode } from "../../gpu-node/node";
import { type JobsWorker, startWorker } from "../../jobs/worker";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { RagClient } from "../rag-client";
import { standIn } from "../rag-stand-in";
import { type RedisServer, redisBinary, startRedis } from "../redis-server";
import { until } from "../until";
import { UPSTASH_TOKEN, UpstashServer } from "../upstash-server";
import { degradedNow, everywhere, json, seenIn } from "./degraded-places";
import { type Stack, startStack } from "./stack";

/*
 * Enters every degraded mode, by a drill and by its real cause, checks all places that report it, and leaves it again.
 * Two nodes with one model each, Redis, a vector store and a jobs worker fail in turn. Each test leaves everything
 * working.
 */

const LARGE = "smollm2-135m-instruct";
const SMALL = "small-model";
/** How long `fallback_model` lasts after the last answer of a fallback model. */
const FALLBACK_MS = 60_000;
const TTL_SECONDS = 60;
const SLOW = { tokens: 400, tokenMs: 50 };

let stack: Stack;
let redis: RedisServer | undefined;
let nodes: RunningNode[];
let worker: JobsWorker | undefined;
let index: string;
const upstash = new UpstashServer();

const nodeOf = async (chat: string, port = 0): Promise<RunningNode> => {
  const config = defaultConfig({
    models: { chat },
    node: { engine: "synthetic", slots: 1, queue: 4 },
    synthetic: SLOW,
  });
  config.node.port = port;
  const node = await startNode(config, { log: silentLog() });
  await node.ready;
  return node;
};
const stopNode = (place: number) => nodes[place]?.close(0);
const restartNodes = async (...places: number[]): Promise<void> => {
  for (const place of places) nodes[place] = await nodeOf(place === 0 ? LARGE : SMALL, nodes[place]?.port);
};
const idOf = (place: number) => `127.0.0.1:${nodes[place]?.port}`;
const startJobs = async (): Promise<void> => {
  const jobs = { ...stack.config.jobs, gatewayUrl: stack.url };
  worker = await startWorker({ ...stack.config, jobs }, silentLog(), standIn);
};

beforeAll(async () => {
  redis = redisBinary ? await startRedis() : undefined;
  nodes = [await nodeOf(LARGE), await nodeOf(SMALL)];
  stack = await startStack(
    {},
    {
      gateway: { nodes: nodes.map(({ url }) => url), busyMaxTokens: 4 },
      models: { fallbacks: [LARGE, SMALL] },
      cache: { ttlSeconds: TTL_SECONDS },
      store: { redisUrl: redis?.url, vectorUrl: upstash.url, vectorToken: UPSTASH_TOKEN },
      hasWorker: false,
    },
  );
  await startJobs();
  await untilCodes("");
  const rag = new RagClient(stack.url, stack.adminKey);
  index = await rag.createIndex();
  await rag.addTexts(index, { source: "a.md", title: "a.md", text: "The ferry leaves at seven." });
  await rag.settled(index);
}, 60_000);
afterAll(async () => {
  setSystemTime();
  await worker?.close(0);
  await stack.close();
  for (const node of nodes) await node.close(0);
  await upstash.stop();
  await redis?.stop();
});

const codes = async (): Promise<string> => (await degradedNow(stack)).map(({ code }) => code).join();
const untilCodes = (expected: string) => until(`the modes are "${expected}"`, async () => (await codes()) === expected);

const KNOWN = { messages: [{ role: "user", content: "Hi" }], max_tokens: 1, temperature: 0 };
const ask = (body: object = KNOWN, headers = {}) => stack.call("POST", "/v1/chat", { body, headers });
/** `degraded` of a response whose answer is in the cache, because `cached_only` serves nothing else. */
const metadata = async () => (await json<ChatAnswer>(ask())).degraded;

const drill = (code: string, body: object) => stack.call("POST", `/v1/degraded/${code}/drill`, { body });
const end = (code: string) => stack.call("POST", `/v1/degraded/${code}/end`);

describe.each([...DEGRADATION_CODES])("%s", (code) => {
  test("a drill is reported in all places until it ends", async () => {
    expect(await metadata()).toEqual([]);
    const started = await json<DegradedMode>(drill(code, { minutes: 5 }));
    expect(started).toMatchObject({ code, active: true, drill: true });
    expect(Date.parse(started.drill_ends_at ?? "") - Date.now()).toBeWithin(4 * 60_000, 5 * 60_000 + 1);
    // A drained node is a real cause, too.
    await stack.gateway.services.health.degradations.refresh();
    expect(await seenIn(stack)).toEqual(everywhere([code]));
    expect(await metadata()).toEqual([code]);
    expect(await json<DegradedMode>(end(code))).toMatchObject({ code, drill: false, drill_ends_at: null });
    await untilCodes("");
    expect(await seenIn(stack)).toEqual(everywhere([]));
    expect(await metadata()).toEqual([]);
  });
});

interface Cause {
  what: string;
  codes: DegradationCode[];
  causes: string[];
  enter(): unknown;
  leave(): unknown;
  /** Status of `/readyz`; by default 200. */
  status?: number;
  isPossible?: boolean;
}

let callers = new AbortController();
let calls: Promise<unknown>[] = [];

const CAUSES: Cause[] = [
  {
    what: "Redis is killed",
    codes: ["cache_local", "limits_local"],
    causes: ["unreachable"],
    enter: () => redis?.kill(),
    leave: () => redis?.start(),
    isPossible: redisBinary !== undefined,
  },
  {
    what: "the vector store is down",
    codes: ["keyword_only"],
    causes: ["unreachable"],
    enter: async () => {
      await upstash.stop();
      const body = { index, question: "When does the ferry leave?", generate: false };
      expect(await json(stack.call("POST", "/v1/rag/query", { body }))).toMatchObject({ degraded: "keyword_only" });
    },
    leave: () => upstash.restart(),
  },
  {
    what: "the last jobs worker stops",
    codes: ["no_jobs"],
    causes: ["no_worker"],
    enter: () => worker?.close(0),
    leave: startJobs,
  },
  {
    what: "one node is drained",
    codes: ["fewer_nodes"],
    causes: ["draining"],
    enter: () => stack.call("POST", `/v1/nodes/${idOf(1)}/drain`),
    leave: () => stack.call("POST", `/v1/nodes/${idOf(1)}/undrain`),
  },
  {
    what: "the requested model's node stops, and another model answers",
    codes: ["fewer_nodes", "fallback_model"],
    causes: ["down"],
    enter: async () => {
      await stopNode(0);
      await untilCodes("fewer_nodes");
      const answer = await json<ChatAnswer>(ask({ ...KNOWN, messages: [{ role: "user", content: "Something new" }] }));
      expect([answer.model, answer.fallback_from, answer.degraded]).toEqual([
        SMALL,
        LARGE,
        ["fewer_nodes", "fallback_model"],
      ]);
    },
    leave: async () => {
      await restartNodes(0);
      await untilCodes("fallback_model");
      setSystemTime(Date.now() + FALLBACK_MS);
      await untilCodes("");
      setSystemTime();
    },
  },
  {
    what: "every node is drained",
    codes: ["cached_only"],
    causes: ["draining"],
    enter: () => Promise.all([0, 1].map((place) => stack.call("POST", `/v1/nodes/${idOf(place)}/drain`))),
    leave: () => Promise.all([0, 1].map((place) => stack.call("POST", `/v1/nodes/${idOf(place)}/undrain`))),
    status: 503,
  },
  {
    what: "every node stops",
    codes: ["cached_only"],
    causes: ["down"],
    enter: () => Promise.all([0, 1].map(stopNode)),
    leave: () => restartNodes(0, 1),
    status: 503,
  },
  {
    what: "the queues stay full",
    codes: ["fewer_tokens", "no_evals"],
    causes: ["busy"],
    enter: () => {
      callers = new AbortController();
      calls = Array.from({ length: 12 }, (_, place) =>
        fetch(`${stack.url}/v1/chat/completions`, {
          method: "POST",
          headers: {
            authorization: `Bearer ${stack.adminKey}`,
            "content-type": "application/json",
            "x-fallback": "off",
          },
          // Without a temperature of 0, equal requests don't share one generation.
          body: JSON.stringify({ messages: KNOWN.messages, model: place % 2 ? LARGE : SMALL, stream: true }),
          signal: callers.signal,
        }).catch(() => undefined),
      );
    },
    leave: () => {
      callers.abort();
      return Promise.all(calls);
    },
  },
];

test("the table has a real cause for every mode except cache_off, which only a drill causes", () => {
  const caused = new Set(CAUSES.flatMap((each) => each.codes));
  expect(DEGRADATION_CODES.filter((code) => !caused.has(code))).toEqual(["cache_off"]);
});

describe.each(CAUSES)("$codes", ({ what, codes: expected, causes, enter, leave, status = 200, isPossible = true }) => {
  test.skipIf(!isPossible)(
    `is reported in all places when ${what}, and ends with its cause`,
    async () => {
      await metadata();
      await enter();
      await untilCodes(expected.join());
      const ready = await stack.call("GET", "/readyz", { key: null });
      const { degraded } = await json<Readiness>(ready);
      expect([ready.status, [...new Set(degraded.flatMap((each) => each.causes))]]).toEqual([status, causes as never]);
      expect(await seenIn(stack)).toEqual(everywhere(expected, []));
      expect(await metadata()).toEqual(expected);
      await leave();
      await untilCodes("");
      expect(await seenIn(stack)).toEqual(everywhere([], []));
      expect(await metadata()).toEqual([]);
    },
    60_000,
  );
});

test("cached_only: even expired answers are served; other requests get a 503 with the node's state", async () => {
  const { message } = await json<ChatAnswer>(ask());
  await Promise.all([0, 1].map(stopNode));
  await untilCodes("cached_only");
  const { dependencies } = await json<Readiness>(stack.call("GET", "/readyz", { key: null }));
  expect(dependencies.map((each) => each.reason_code)).toEqual([
    "down",
    "down",
    ...dependencies.slice(2).map(() => null),
  ]);
  const refused = await ask({ messages: [{ role: "user", content: "Something new" }] });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await json<{ error: object }>(refused)).toMatchObject({
    error: { code: "unavailable", details: [{ path: `engine:${idOf(0)}`, message: "down" }] },
  });
  expect(await (await fetch(`${stack.url}/sign-in`)).text()).toContain(
    "A node can&#39;t be reached, or its engine failed.",
  );

  setSystemTime(Date.now() + TTL_SECONDS * 1000);
  const old = await ask();
  expect(old.headers.get("cache-status")).toMatch(/^Groundwire; hit; ttl=-?\d+; .*detail="expired, but nothing can be/);
  const stale = { message, node: null, degraded: ["cached_only"], cache: { status: "hit", stale: true } };
  expect(await json<ChatAnswer>(old)).toMatchObject(stale);
  expect((await ask(KNOWN, { "cache-control": "no-cache" })).status).toBe(503);
  setSystemTime();

  await restartNodes(0, 1);
  await untilCodes("");
}, 60_000);
