import { afterEach, expect, test } from "bun:test";
import { type RunningNode, startNode } from "../../gpu-node/node";
import { AppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { until } from "../../tests/until";
import type { Engine, EngineRequest, NodeView } from "../ports/engine";
import { engineContract } from "../ports/engine.contract";
import { type Http2EngineOptions, http2Engine } from "./engine-http2";

const MODEL = "smollm2-135m-instruct";
const open: { close(graceMs: number): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close(0);
});

const node = async (synthetic: { tokens?: number; tokenMs?: number; firstTokenMs?: number } = {}, port = 0) => {
  const config = defaultConfig({ node: { engine: "synthetic" }, synthetic });
  config.node.port = port;
  const started = await startNode(config, { log: silentLog() });
  await started.ready;
  return started;
};

const engineOf = (urls: string[], timeouts: Partial<Http2EngineOptions["timeouts"]> = {}): Engine => {
  const engine = http2Engine({
    urls,
    connectionsPerNode: 2,
    timeouts: { queueMs: 1000, firstTokenMs: 5000, nextTokenMs: 5000, stuckMs: 5000, ...timeouts },
  });
  open.push(engine);
  void engine.open();
  return engine;
};

const started = async (...args: Parameters<typeof node>): Promise<RunningNode> => {
  const running = await node(...args);
  open.push(running);
  return running;
};

const chat = (changes: Partial<EngineRequest> = {}): EngineRequest => ({
  route: "/v1/chat/completions",
  model: MODEL,
  body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "hi" }], stream: true }),
  stream: true,
  requestId: "req_test",
  fairKey: "key_test",
  priority: "interactive",
  deadlineMs: 10_000,
  signal: new AbortController().signal,
  ...changes,
});

const textOf = async (body: AsyncIterable<Uint8Array>): Promise<string> => {
  let text = "";
  for await (const piece of body) text += Buffer.from(piece).toString();
  return text;
};

const read = async (engine: Engine, request = chat()): Promise<string> => textOf((await engine.request(request)).body);

const failure = (work: Promise<unknown>): Promise<AppError> =>
  work.then(
    () => new AppError("internal", "nothing failed"),
    (thrown) => thrown,
  );

const untilState = (engine: Engine, state: NodeView["state"]): Promise<void> =>
  until(`the node is ${state}`, () => engine.nodes()[0]?.state === state);

engineContract("http2", async () => {
  const running = await node({ tokens: 20, tokenMs: 5 });
  const engine = http2Engine({
    urls: [running.url],
    connectionsPerNode: 2,
    timeouts: { queueMs: 1000, firstTokenMs: 5000, nextTokenMs: 5000, stuckMs: 5000 },
  });
  return {
    engine,
    model: MODEL,
    embeddingModel: "all-minilm-l6-v2",
    async close() {
      await engine.close(0);
      await running.close(0);
    },
  };
});

test("without a running node, a request is rejected immediately, and the error says when to retry", async () => {
  const engine = engineOf(["http://127.0.0.1:9"]);
  const error = await failure(read(engine));
  expect([error.kind, error.detail.retryAfterMs]).toEqual(["unavailable", 1000]);
  expect(engine.nodes()[0]?.state).toBe("down");
});

test("a stream whose node disappears ends with an error, and never looks complete", async () => {
  const running = await started({ tokens: 1000, tokenMs: 5 });
  const engine = engineOf([running.url]);
  const reply = await engine.request(chat());
  const pieces = reply.body[Symbol.asyncIterator]();
  await pieces.next();
  await running.close(0);
  const drain = async () => {
    while (!(await pieces.next()).done);
  };
  const error = await failure(drain());
  expect(error).toBeInstanceOf(AppError);
  expect(error.detail.source).toBe("node");
  expect(engine.nodes()[0]?.outstanding).toBe(0);
});

test("a node that comes back is used again without a restart", async () => {
  const first = await node();
  const engine = engineOf([first.url]);
  await read(engine);
  await first.close(0);
  await untilState(engine, "down");
  expect((await failure(read(engine))).kind).toBe("unavailable");
  await started({}, first.port);
  await untilState(engine, "ready");
  expect(await read(engine)).toEndWith("data: [DONE]\n\n");
});

test("requests go to the node with the fewest active requests", async () => {
  const [a, b] = [await started({ tokens: 1000, tokenMs: 20 }), await started({ tokens: 1000, tokenMs: 20 })];
  const engine = engineOf([a.url, b.url]);
  const callers = Array.from({ length: 6 }, () => new AbortController());
  await Promise.all(callers.map(({ signal }) => engine.request(chat({ signal }))));
  expect(engine.nodes().map(({ outstanding }) => outstanding)).toEqual([3, 3]);
  for (const caller of callers) caller.abort();
});

test("if one node is down, the other answers", async () => {
  const [a, b] = [await started(), await started()];
  const engine = engineOf([a.url, b.url]);
  await read(engine);
  await a.close(0);
  for (let i = 0; i < 10; i++) expect(await read(engine)).toEndWith("data: [DONE]\n\n");
});

test("a drained node gets no new requests until it is put back", async () => {
  const running = await started();
  const engine = engineOf([running.url]);
  await read(engine);
  const id = engine.nodes()[0]?.id ?? "";
  engine.drain(id, true);
  expect((await failure(read(engine))).kind).toBe("unavailable");
  engine.drain(id, false);
  expect(await read(engine)).toEndWith("data: [DONE]\n\n");
});

test("a missing first token is deadline_exceeded", async () => {
  const running = await started({ firstTokenMs: 5000 });
  const engine = engineOf([running.url], { queueMs: 50, firstTokenMs: 100 });
  expect((await failure(read(engine))).kind).toBe("deadline_exceeded");
});

test("a missing next token ends the stream with deadline_exceeded", async () => {
  const running = await started({ tokens: 5, tokenMs: 5000 });
  const engine = engineOf([running.url], { nextTokenMs: 100 });
  expect((await failure(read(engine))).kind).toBe("deadline_exceeded");
});

test("a rejection by the node keeps its kind, and the node is its source", async () => {
  const running = await started();
  const engine = engineOf([running.url]);
  const body = JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "hi" }], stream: true, top_p: 2 });
  const error = await failure(read(engine, chat({ body })));
  expect([error.status, error.detail.source]).toEqual([400, "node"]);
});

test("thousands of callers that disconnect together don't end other streams", async () => {
  const running = await started({ tokens: 400, tokenMs: 5 });
  const engine = engineOf([running.url]);
  // These get their slots before the others fill the queue.
  const replies = await Promise.all(Array.from({ length: 4 }, () => engine.request(chat())));
  const bystanders = Promise.all(replies.map(({ body }) => textOf(body)));
  for (let round = 0; round < 30; round++) {
    const callers = Array.from({ length: 50 }, () => new AbortController());
    const refusals = callers.map(({ signal }) => failure(engine.request(chat({ signal }))));
    for (const caller of callers) caller.abort();
    await Promise.all(refusals);
  }
  for (const text of await bystanders) expect(text).toEndWith("data: [DONE]\n\n");
}, 20_000);
