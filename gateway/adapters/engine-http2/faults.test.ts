import { afterEach, expect, test } from "bun:test";
import { startNode } from "../../../gpu-node/node";
import type { AppError } from "../../../lib/errors";
import { silentLog } from "../../../lib/log";
import { defaultConfig } from "../../../lib/settings";
import { startTcpProxy } from "../../../tests/tcp-proxy";
import { until } from "../../../tests/until";
import type { Engine, EngineRequest, NodeView } from "../../ports/engine";
import { type Http2EngineOptions, http2Engine } from "../engine-http2";

const MODEL = "smollm2-135m-instruct";
const open: { close(graceMs: number): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close(0);
});

const started = async (synthetic: { tokens?: number; tokenMs?: number } = {}, node: { slots?: number } = {}) => {
  const config = defaultConfig({ node: { engine: "synthetic", ...node }, synthetic });
  config.node.port = 0;
  const running = await startNode(config, { log: silentLog() });
  open.push(running);
  await running.ready;
  return running;
};

const engineOf = async (urls: string[], options: { stuckMs?: number; pingMs?: number } = {}): Promise<Engine> => {
  const { stuckMs = 60_000, pingMs } = options;
  const timeouts: Http2EngineOptions["timeouts"] = {
    queueMs: 10_000,
    firstTokenMs: 10_000,
    nextTokenMs: 10_000,
    stuckMs,
  };
  const engine = http2Engine({ urls, connectionsPerNode: 2, timeouts, pingMs });
  open.push(engine);
  await engine.open();
  await until("the engine says so", () => engine.nodes().every(({ state }) => state === "ready"));
  return engine;
};

const chat = (content = "hi", changes: Partial<EngineRequest> = {}): EngineRequest => ({
  route: "/v1/chat/completions",
  model: MODEL,
  body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content }], stream: true }),
  stream: true,
  requestId: "req_test",
  fairKey: "key_test",
  priority: "interactive",
  deadlineMs: 30_000,
  signal: new AbortController().signal,
  ...changes,
});

const textOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  let text = "";
  for await (const piece of body) text += Buffer.from(piece).toString();
  return text;
};

const nodeOf = (engine: Engine, id: string): NodeView | undefined => engine.nodes().find((node) => node.id === id);

test("a node that sends no tokens is stuck and gets no new requests, and is ready again when no request waits for it", async () => {
  const [a, b] = [await started({ tokens: 500, tokenMs: 10 }), await started({ tokens: 500, tokenMs: 10 })];
  const engine = await engineOf([a.url, b.url], { stuckMs: 100 });
  const caller = new AbortController();
  const { node: hanging, body } = await engine.request(chat("!hang after 1", { signal: caller.signal }));
  const broken = textOf(body).catch((error: AppError) => error.kind);
  await until("the engine says so", () => nodeOf(engine, hanging)?.state === "stuck");

  const callers = new AbortController();
  const replies = await Promise.all([1, 2, 3].map(() => engine.request(chat("hi", { signal: callers.signal }))));
  expect(replies.map(({ node }) => node)).not.toContain(hanging);

  callers.abort();
  caller.abort();
  expect(await broken).toBe("client_closed");
  await until("the engine says so", () => nodeOf(engine, hanging)?.state === "ready");
}, 10_000);

test("a stuck node is the last resort, not a refusal", async () => {
  const running = await started({ tokens: 3 });
  const engine = await engineOf([running.url], { stuckMs: 100 });
  const caller = new AbortController();
  await engine.request(chat("!hang after 1", { signal: caller.signal }));
  await until("the engine says so", () => engine.nodes()[0]?.state === "stuck");
  expect(await textOf((await engine.request(chat())).body)).toEndWith("data: [DONE]\n\n");
  caller.abort();
}, 10_000);

test("a node whose engine failed permanently is down with the reason, and gets no requests", async () => {
  const [a, b] = [await started(), await started()];
  const engine = await engineOf([a.url, b.url]);
  const { node: failed, body } = await engine.request(chat("!break after 1"));
  expect(await textOf(body).catch((error: AppError) => error.kind)).toBe("unavailable");
  await until("the engine says so", () => nodeOf(engine, failed)?.state === "down");
  expect(nodeOf(engine, failed)?.lastError).toContain("Restart the GPU node");
  const replies = await Promise.all([1, 2, 3].map(() => engine.request(chat())));
  expect(replies.map(({ node }) => node)).not.toContain(failed);
  await Promise.all(replies.map((reply) => textOf(reply.body)));
}, 10_000);

test("a node whose slots are busy for another gateway is not stuck, however long a request waits there", async () => {
  const running = await started({ tokens: 100, tokenMs: 10 }, { slots: 1 });
  const other = await engineOf([running.url]);
  const busy = (await other.request(chat("hi", { fairKey: "key_other" }))).body[Symbol.asyncIterator]();
  await busy.next();

  const engine = await engineOf([running.url], { stuckMs: 100 });
  const states = new Set<string | undefined>();
  const waiting = engine.request(chat());
  while (!(await busy.next()).done) states.add(engine.nodes()[0]?.state);
  expect([...states]).toEqual(["ready"]);
  expect(await textOf((await waiting).body)).toEndWith("data: [DONE]\n\n");
}, 10_000);

test("pings detect a peer that disappears silently, and its return", async () => {
  const running = await started({ tokens: 100_000, tokenMs: 5 });
  const proxy = await startTcpProxy(running.url);
  open.push(proxy);
  const engine = await engineOf([proxy.url], { pingMs: 100 });
  const { body } = await engine.request(chat());
  const stream = body[Symbol.asyncIterator]();
  await stream.next();

  proxy.freeze();
  const frozenAt = performance.now();
  const drain = async () => {
    while (!(await stream.next()).done);
  };
  expect(drain()).rejects.toMatchObject({ kind: "upstream_error" });
  await until("the engine says so", () => engine.nodes()[0]?.state === "down");
  // Twice the interval, as with the default of 5 s, plus a tolerance for a busy machine.
  expect(performance.now() - frozenAt).toBeLessThan(1500);

  proxy.thaw();
  await until("the engine says so", () => engine.nodes()[0]?.state === "ready");
  expect((await engine.request(chat())).node).toBe(engine.nodes()[0]?.id ?? "");
}, 20_000);

test("frames split by the network arrive as complete frames", async () => {
  const node = await started({ tokens: 4 });
  const proxy = await startTcpProxy(node.url, 50);
  const engine = await engineOf([proxy.url]);
  open.push(proxy);
  const { body } = await engine.request(chat());
  const pieces = (await Array.fromAsync(body)).map((piece) => Buffer.from(piece).toString());
  for (const piece of pieces) {
    const frames = piece.split("\n\n");
    expect(frames.pop()).toBe("");
    for (const frame of frames) expect(frame).toMatch(/^data: (\{.*\}|\[DONE\])$/);
  }
  expect(pieces.join("")).toEndWith("data: [DONE]\n\n");
}, 20_000);

test("a node that sends GOAWAY completes its streams, and new requests go to other nodes", async () => {
  const [a, b] = [await started({ tokens: 40, tokenMs: 10 }), await started({ tokens: 40, tokenMs: 10 })];
  const engine = await engineOf([a.url, b.url]);
  const replies = await Promise.all(Array.from({ length: 8 }, () => engine.request(chat())));
  const texts = replies.map(({ body }) => textOf(body));
  const closing = a.close(10_000);
  // All at the same time. The closing node rejects many of them, and they move on without using up the retry budget.
  const later = Array.from({ length: 16 }, async () => {
    const { node, body } = await engine.request(chat());
    expect(node).toBe(new URL(b.url).host);
    return textOf(body);
  });
  for (const text of await Promise.all([...texts, ...later])) expect(text).toEndWith("data: [DONE]\n\n");
  await closing;
}, 10_000);

test("a reply contains the number of retries, and so does the error of the last attempt", async () => {
  const [a, b] = [await started(), await started()];
  const engine = await engineOf([a.url, b.url]);
  expect((await engine.request(chat())).retries).toBe(0);
  const refused = engine.request(chat("!error unavailable"));
  expect(refused).rejects.toMatchObject({ kind: "unavailable", detail: { headers: { "x-retries": "1" } } });
  await refused.catch(() => {});
});
