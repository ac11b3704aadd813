import { afterAll, beforeAll, expect, test } from "bun:test";
import type { ChatAnswer } from "../../gateway/chat/contract";
import type { Readiness } from "../../gateway/health/contract";
import { type RunningNode, startNode } from "../../gpu-node/node";
import { type JobsWorker, startWorker } from "../../jobs/worker";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { standIn } from "../rag-stand-in";
import { until } from "../until";
import { degradedNow, everywhere, json, seenIn } from "./degraded-places";
import { type Stack, startStack } from "./stack";

/* Degraded modes that are entered by their real cause, and left when it is gone. Each test leaves everything working. */

let stack: Stack;
let nodes: RunningNode[];
let worker: JobsWorker | undefined;

const SLOW = { tokens: 400, tokenMs: 50 };

const nodeOn = async (port = 0): Promise<RunningNode> => {
  const config = defaultConfig({ node: { engine: "synthetic", slots: 1, queue: 4 }, synthetic: SLOW });
  config.node.port = port;
  const node = await startNode(config, { log: silentLog() });
  await node.ready;
  return node;
};

beforeAll(async () => {
  nodes = [await nodeOn(), await nodeOn()];
  const gateway = { nodes: nodes.map(({ url }) => url) };
  stack = await startStack({}, { gateway, cache: { ttlSeconds: 1 }, hasWorker: false });
});
afterAll(async () => {
  await worker?.close(0);
  await stack.close();
  for (const node of nodes) await node.close(0);
});

const codes = async (): Promise<string> => (await degradedNow(stack)).map(({ code }) => code).join();
const untilCodes = (expected: string) => until(`the modes are "${expected}"`, async () => (await codes()) === expected);

test("no_jobs: until the first jobs worker starts", async () => {
  await untilCodes("no_jobs");
  expect(await seenIn(stack)).toEqual(everywhere(["no_jobs"], []));
  const jobs = { ...stack.config.jobs, gatewayUrl: stack.url };
  worker = await startWorker({ ...stack.config, jobs }, silentLog(), standIn);
  await untilCodes("");
  expect(await seenIn(stack)).toEqual(everywhere([], []));
});

test("fewer_tokens and no_evals: while the queues stay full", async () => {
  const callers = new AbortController();
  const body = { messages: [{ role: "user", content: "A long story" }], max_tokens: 400, stream: true };
  const requests = Array.from({ length: 10 }, () =>
    fetch(`${stack.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${stack.adminKey}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: callers.signal,
    }).catch(() => undefined),
  );
  await untilCodes("fewer_tokens,no_evals");
  expect(await seenIn(stack)).toEqual(everywhere(["fewer_tokens", "no_evals"], []));
  expect(await degradedNow(stack)).toMatchObject([{ causes: ["busy"] }, { causes: ["busy"] }]);
  callers.abort();
  await Promise.all(requests);
  await untilCodes("");
}, 60_000);

test("fewer_nodes and cached_only: as nodes fail, with reasons; then even expired answers are served from the cache", async () => {
  const known = { messages: [{ role: "user", content: "Hi" }], stop: [" "], temperature: 0 };
  const ask = (headers = {}) => stack.call("POST", "/v1/chat", { body: known, headers });
  const { message } = await json<ChatAnswer>(ask());
  await nodes[1]?.close(0);
  await untilCodes("fewer_nodes");
  expect(await seenIn(stack)).toEqual(everywhere(["fewer_nodes"], []));
  expect(await degradedNow(stack)).toMatchObject([{ causes: ["down"], reason: "1 of 2 nodes unavailable (down)" }]);

  await nodes[0]?.close(0);
  await untilCodes("cached_only");
  expect(await seenIn(stack)).toEqual(everywhere(["cached_only"], []));
  const ready = await stack.call("GET", "/readyz", { key: null });
  expect([ready.status, (await json<Readiness>(ready)).dependencies.map((each) => each.reason_code)]).toEqual([
    503,
    ["down", "down", null, null, null, null],
  ]);
  const refused = await stack.call("POST", "/v1/chat", { body: { messages: [{ role: "user", content: "Hi" }] } });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await json<{ error: object }>(refused)).toMatchObject({
    error: {
      code: "unavailable",
      details: nodes.map(({ port }) => ({ path: `engine:127.0.0.1:${port}`, message: "down" })),
    },
  });
  expect(await (await fetch(`${stack.url}/sign-in`)).text()).toContain(
    "A node can&#39;t be reached, or its engine failed.",
  );

  const isExpired = async () => (await ask()).headers.get("cache-status")?.includes("ttl=-") === true;
  await until("the answer has expired", isExpired);
  const old = await ask();
  expect(Number(old.headers.get("age"))).toBeGreaterThan(0);
  expect(old.headers.get("cache-status")).toMatch(/^Groundwire; hit; ttl=-\d+; .*detail="expired, but nothing can be/);
  const stale = { message, node: null, degraded: ["cached_only"], cache: { status: "hit", stale: true } };
  expect(await json<ChatAnswer>(old)).toMatchObject(stale);
  expect((await ask({ "cache-control": "no-cache" })).status).toBe(503);

  nodes = await Promise.all(nodes.map(({ port }) => nodeOn(port)));
  await untilCodes("");
  expect(await seenIn(stack)).toEqual(everywhere([], []));
}, 60_000);

test("cached_only: a drained node is said to be draining", async () => {
  const ids = nodes.map(({ port }) => `127.0.0.1:${port}`);
  for (const id of ids) await stack.call("POST", `/v1/nodes/${id}/drain`);
  await untilCodes("cached_only");
  expect(await degradedNow(stack)).toMatchObject([{ causes: ["draining"] }]);
  for (const id of ids) await stack.call("POST", `/v1/nodes/${id}/undrain`);
  await untilCodes("");
});
