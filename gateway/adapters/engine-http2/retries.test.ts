import { afterEach, expect, test } from "bun:test";
import { AppError } from "../../../lib/errors";
import { type FailingNode, type NodeAnswer, startFailingNode, unavailable } from "../../../tests/failing-node";
import { until } from "../../../tests/until";
import type { Engine, EngineRequest } from "../../ports/engine";
import { http2Engine } from "../engine-http2";

const MODEL = "smollm2-135m-instruct";
const open: { close(graceMs: number): Promise<void> }[] = [];
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close(0);
});

const setUp = async (...answers: ((body: string) => NodeAnswer)[]) => {
  const nodes = await Promise.all(answers.map(startFailingNode));
  const engine = http2Engine({
    urls: nodes.map(({ url }) => url),
    connectionsPerNode: 2,
    timeouts: { queueMs: 1000, firstTokenMs: 5000, nextTokenMs: 5000, stuckMs: 60_000 },
  });
  open.push(...nodes, engine);
  await engine.open();
  await until("all nodes are ready", () => engine.nodes().every(({ state }) => state === "ready"));
  return { engine, nodes };
};

const chat = (content: string): EngineRequest => ({
  route: "/v1/chat/completions",
  model: MODEL,
  body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content }], stream: true }),
  stream: true,
  requestId: "req_test",
  fairKey: "key_test",
  priority: "interactive",
  deadlineMs: 30_000,
  signal: new AbortController().signal,
});

const outcome = async (engine: Engine, content: string): Promise<AppError | "answered"> => {
  try {
    await Array.fromAsync((await engine.request(chat(content))).body);
    return "answered";
  } catch (error) {
    return error as AppError;
  }
};

const isPoison = (body: string): boolean => body.includes("poison");
/** Requests from users; a check of the gateway says "Hi". */
const fromUsers = ({ bodies }: FailingNode): number => bodies.filter((body) => !body.includes('"Hi"')).length;
const failed: NodeAnswer = { status: 500, body: { error: { message: "It crashed.", code: "internal" } } };

test("G3 a node that answers 503 to everything is ejected, and the load on the nodes never exceeds 1.2 times", async () => {
  const { engine, nodes } = await setUp(
    () => unavailable(),
    () => unavailable(),
  );
  const requests = 2000;
  for (let i = 0; i < requests; i++) {
    const error = await outcome(engine, `question ${i}`);
    expect(error).toBeInstanceOf(AppError);
    expect((error as AppError).kind).toBe("unavailable");
    expect((error as AppError).detail.retryAfterMs ?? 1000).toBeGreaterThan(0);
  }
  expect(engine.nodes().map(({ state }) => state)).toEqual(["ejected", "ejected"]);
  const attempts = nodes.reduce((sum, { bodies }) => sum + bodies.length, 0);
  // Both breakers open after a few requests; from then on, none is sent.
  expect(attempts / requests).toBeLessThan(0.1);
});

test("G3 while breakers stay closed because other requests succeed, retries add at most 20 %", async () => {
  let calls = 0;
  const halfFails = () => (calls++ % 2 === 0 ? unavailable() : ("answer" as const));
  const { engine, nodes } = await setUp(halfFails, halfFails);
  const requests = 1000;
  for (let i = 0; i < requests; i++) await outcome(engine, `question ${i}`);
  const attempts = nodes.reduce((sum, { bodies }) => sum + bodies.length, 0);
  expect(attempts / requests).toBeLessThanOrEqual(1.2);
  expect(engine.nodes().map(({ state }) => state)).toEqual(["ready", "ready"]);
});

test("G1: while another node works, requests lost without a retry don't report that no node is available", async () => {
  const { engine, nodes } = await setUp(
    () => "hang",
    () => "hang",
  );
  const ends: string[] = [];
  for (let i = 0; i < 20; i++) {
    void outcome(engine, `question ${i}`).then((end) => ends.push(end === "answered" ? end : end.kind));
  }
  await until("each node has ten", () => nodes.every(({ bodies }) => bodies.length === 10));
  if (nodes[1]) nodes[1].answer = () => "answer";
  await nodes[0]?.close();
  await until("the lost ones have ended", () => ends.length === 10);
  // A fifth of the requests may be retried.
  expect(ends.sort()).toEqual([...Array(4).fill("answered"), ...Array(6).fill("upstream_error")]);
});

test("requests that fail because of their content don't eject the only node", async () => {
  const { engine, nodes } = await setUp((body) => (isPoison(body) ? failed : "answer"));
  for (let i = 0; i < 50; i++) expect(await outcome(engine, `poison ${i}`)).toMatchObject({ kind: "internal" });
  await until("the check has ended", () => (nodes[0]?.bodies.length ?? 0) > 50);
  expect(engine.nodes()[0]?.state).toBe("ready");
  expect(await outcome(engine, "harmless")).toBe("answered");
  // One check, not one for every five failures.
  expect(nodes[0]?.bodies.length).toBe(50 + 1 + 1);
});

test("rejected requests never count against a node", async () => {
  const rejected: NodeAnswer = {
    status: 400,
    body: { error: { message: "tools must be left out.", code: "invalid_request", param: "tools" } },
  };
  const { engine, nodes } = await setUp((body) => (isPoison(body) ? rejected : "answer"));
  for (let i = 0; i < 20; i++) expect(await outcome(engine, `poison ${i}`)).toMatchObject({ kind: "invalid_request" });
  expect(engine.nodes()[0]?.state).toBe("ready");
  expect(nodes[0]?.bodies.length).toBe(20);
});

test("deadlines that callers set don't count against a node", async () => {
  const tooLate: NodeAnswer = { status: 504, body: { error: { message: "Too late.", code: "deadline_exceeded" } } };
  const { engine, nodes } = await setUp(() => tooLate);
  for (let i = 0; i < 20; i++) {
    await engine.request({ ...chat(`question ${i}`), hasOwnDeadline: true }).catch(() => {});
  }
  expect([engine.nodes()[0]?.state, nodes[0]?.bodies.length]).toEqual(["ready", 20]);
});

test("the only node, once ejected, is not sent any requests; the error says why and when to retry", async () => {
  const { engine, nodes } = await setUp(() => failed);
  for (let i = 0; i < 5; i++) await outcome(engine, `question ${i}`);
  await until("the node is ejected", () => engine.nodes()[0]?.state === "ejected");
  const before = nodes[0] ? fromUsers(nodes[0]) : 0;
  const error = (await outcome(engine, "another question")) as AppError;
  expect([error.status, error.kind]).toEqual([503, "unavailable"]);
  expect(error.message).toStartWith("No GPU node is available (1 ejected). Try again in ");
  expect(error.detail.details).toEqual([{ path: `engine:${engine.nodes()[0]?.id}`, message: "ejected" }]);
  expect(error.detail.retryAfterMs).toBeGreaterThan(25_000);
  expect(nodes[0] && fromUsers(nodes[0])).toBe(before);
});

test("a node that asks for a pause gets no requests during it while another one answers", async () => {
  const { engine, nodes } = await setUp(
    () => unavailable(20_000),
    () => "answer",
  );
  for (let i = 0; i < 20; i++) expect(await outcome(engine, `question ${i}`)).toBe("answered");
  expect(nodes.map(({ bodies }) => bodies.length)).toEqual([1, 20]);
});

test("a deep check lets each model answer, and doesn't change the node's state", async () => {
  let answer: NodeAnswer = "answer";
  const { engine, nodes } = await setUp(() => answer);
  const id = engine.nodes()[0]?.id ?? "";
  expect(await engine.check(id)).toMatchObject([{ model: MODEL, error: undefined }]);
  answer = failed;
  for (let i = 0; i < 6; i++) expect(await engine.check(id)).toMatchObject([{ error: { kind: "internal" } }]);
  expect([engine.nodes()[0]?.state, nodes[0]?.bodies.length, await engine.check("none")]).toEqual(["ready", 7, []]);
});

test("the retry-after of the node reaches the caller", async () => {
  const { engine } = await setUp(() => unavailable(7000));
  expect(await outcome(engine, "question")).toMatchObject({ kind: "unavailable", detail: { retryAfterMs: 7000 } });
});

test("a model whose node is down is unavailable, not unknown", async () => {
  const { engine, nodes } = await setUp(
    () => "answer",
    () => "answer",
  );
  const [big, small] = nodes;
  if (!big || !small) throw new Error("There are two nodes.");
  small.readiness.models = [{ id: "small", kind: "chat", revision: "r1", context_window: 4096 }];
  await until("the second node serves another model", () =>
    engine.nodes().some(({ readiness }) => readiness?.models[0]?.id === "small"),
  );
  await big.close();
  await until("the first node is down", () => engine.nodes()[0]?.state === "down");
  const error = (await outcome(engine, "question")) as AppError;
  expect([error.kind, error.detail.details?.map(({ message }) => message)]).toEqual(["unavailable", ["down"]]);
  const unknown = engine.request({ ...chat("question"), model: "no-such-model" });
  expect(unknown).rejects.toMatchObject({ kind: "model_not_found" });
  await unknown.catch(() => {});
});
