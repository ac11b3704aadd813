import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import type { ChatAnswer } from "../../gateway/chat/contract";
import { type FailingNode, startFailingNode, unavailable } from "../failing-node";
import { until } from "../until";
import { degradedNow, everywhere, json, seenIn } from "./degraded-places";
import { type Stack, startStack } from "./stack";

/* Two nodes with different models: the chain of fallback models is the large model, then the small one. */

const LARGE = "smollm2-135m-instruct";
const SMALL = "small-model";

let large: FailingNode;
let small: FailingNode;
let stack: Stack;

beforeAll(async () => {
  large = await startFailingNode(() => "answer");
  small = await startFailingNode(() => "answer");
  const [model] = small.readiness.models;
  if (model) small.readiness.models = [{ ...model, id: SMALL }];
  const gateway = { nodes: [large.url, small.url] };
  stack = await startStack({}, { gateway, models: { fallbacks: [LARGE, SMALL] }, hasWorker: false });
  await until("both models are known", async () => {
    const { data } = await json<{ data: { id: string }[] }>(stack.call("GET", "/v1/models"));
    return data.length === 2 && (await degradedNow(stack)).every(({ code }) => code === "no_jobs");
  });
});
afterAll(async () => {
  await stack.close();
  await large.close();
  await small.close();
});
beforeEach(async () => {
  // One success, so that failures of earlier tests don't eject the node.
  expect((await ask()).headers.get("x-fallback-from")).toBeNull();
  large.answer = () => unavailable();
  for (const { bodies } of [large, small]) bodies.length = 0;
});
afterEach(() => {
  large.answer = () => "answer";
  small.answer = () => "answer";
  stack.gateway.services.health.degradations.report("fallback_model", undefined);
});

let questions = 0;
const question = (fields: object = {}) => ({
  messages: [{ role: "user", content: `Question ${++questions}` }],
  temperature: 0,
  ...fields,
});
const ask = (body: object = question(), headers = {}, key?: string) =>
  stack.call("POST", "/v1/chat", { body, headers, key });

test("a model that can't answer is replaced by the next one, and the response says so", async () => {
  const response = await ask();
  expect([response.headers.get("x-retries"), response.headers.get("x-fallback-from")]).toEqual(["1", LARGE]);
  expect(await json<ChatAnswer>(response)).toMatchObject({ model: SMALL, fallback_from: LARGE, retries: 1 });
  expect(JSON.parse(small.bodies[0] ?? "{}").model).toBe(SMALL);
  const codes = ["no_jobs", "fallback_model"] as const;
  expect(await seenIn(stack)).toEqual(everywhere([...codes], []));
  expect((await degradedNow(stack))[1]).toMatchObject({ reason: `${SMALL} answers instead of ${LARGE}`, drill: false });
  stack.gateway.services.health.degradations.report("fallback_model", undefined);
  expect(await seenIn(stack)).toEqual(everywhere(["no_jobs"], []));
});

test("OpenAI's routes name the model that answered, streamed or not", async () => {
  for (const path of ["/v1/chat/completions", "/v1/completions"]) {
    const body = path.includes("chat") ? question() : { prompt: `Question ${++questions}` };
    const response = await stack.call("POST", path, { body });
    expect(response.headers.get("x-fallback-from")).toBe(LARGE);
    expect((await json<{ model: string }>(response)).model).toBe(SMALL);
  }
  const streamed = await stack.call("POST", "/v1/chat/completions", { body: question({ stream: true }) });
  expect(streamed.headers.get("x-fallback-from")).toBe(LARGE);
  expect(await streamed.text()).toContain(`"model":"${SMALL}"`);
});

test("every stream names the requested model and the retries in its headers", async () => {
  for (const [path, body] of [
    ["/v1/chat", question()],
    ["/v1/messages", { ...question(), model: LARGE, max_tokens: 8 }],
    ["/v1/responses", { input: `Question ${++questions}` }],
  ] as const) {
    const { headers, status } = await stack.call("POST", path, { body: { ...body, stream: true } });
    expect([path, status, headers.get("x-fallback-from"), headers.get("x-retries")]).toEqual([path, 200, LARGE, "1"]);
  }
});

test("a response names the model that answered, streamed or not", async () => {
  const input = `Question ${++questions}`;
  const whole = await stack.call("POST", "/v1/responses", { body: { input } });
  expect(whole.headers.get("x-fallback-from")).toBe(LARGE);
  expect((await json<{ model: string }>(whole)).model).toBe(SMALL);
  const events = await (await stack.call("POST", "/v1/responses", { body: { input, stream: true } })).text();
  expect([events.includes(`"model":"${SMALL}"`), events.includes(`"model":"${LARGE}"`)]).toEqual([true, false]);
});

test("a fallback's answer is never cached as the requested model's", async () => {
  const body = question();
  const first = await ask(body);
  expect(first.headers.get("cache-status")).not.toContain("stored");
  expect(await json<ChatAnswer>(first)).toMatchObject({ fallback_from: LARGE });
  large.answer = () => "answer";
  const second = await ask(body);
  expect(second.headers.get("cache-status")).toContain("fwd=miss; stored");
  expect(await json<ChatAnswer>(second)).toMatchObject({ model: LARGE, fallback_from: null });
  await until("the answer is stored", async () => (await json<ChatAnswer>(ask(body))).cache.status === "hit");
});

test("x-fallback: off turns it off for one request, which doesn't join another one's fallback", async () => {
  const body = question();
  const [fallback, refused] = await Promise.all([ask(body), ask(body, { "x-fallback": "off" })]);
  expect(await json<ChatAnswer>(fallback)).toMatchObject({ model: SMALL });
  expect([refused.status, refused.headers.get("x-fallback-from")]).toEqual([503, null]);
  const wrong = await ask(body, { "x-fallback": "maybe" });
  expect([wrong.status, (await json<{ error: { param: string } }>(wrong)).error.param]).toEqual([400, "x-fallback"]);
});

test("a key that may not use the fallback gets the error of the requested model", async () => {
  const key = await stack.keyOf("member", { allowed_models: [LARGE] });
  expect((await ask(question(), {}, key)).status).toBe(503);
  expect(small.bodies).toEqual([]);
});

test("nothing is switched after the first streamed byte", async () => {
  large.answer = () => "break off";
  const response = await stack.call("POST", "/v1/chat/completions", { body: question({ stream: true }) });
  const text = await response.text();
  expect(text).toContain("Hello");
  expect(text).toContain('"error":');
  expect([text.includes("[DONE]"), small.bodies.length]).toEqual([false, 0]);
});

test("a request that the model rejects is not sent to another model", async () => {
  large.answer = () => ({ status: 400, body: { error: { message: "No tools.", code: "invalid_request" } } });
  expect((await ask()).status).toBe(400);
  expect(small.bodies).toEqual([]);
});

test("the last model has no fallback, and the requested model's error is returned if all fail", async () => {
  small.answer = () => unavailable(9000);
  const last = await ask(question({ model: SMALL }));
  expect([last.status, last.headers.get("retry-after")]).toEqual([503, "9"]);
  expect(large.bodies).toEqual([]);
  large.answer = () => unavailable(4000);
  const both = await ask();
  expect([both.status, both.headers.get("retry-after"), both.headers.get("x-retries")]).toEqual([503, "4", "1"]);
});

test("evaluations never use a fallback", async () => {
  const response = await stack.call("POST", "/v1/evaluate", { body: { sample: { input: "Q?", references: ["a"] } } });
  expect(response.status).toBe(503);
  expect(small.bodies).toEqual([]);
});

test("a drill of fallback_model asks the fallback first", async () => {
  large.answer = () => "answer";
  await stack.call("POST", "/v1/degraded/fallback_model/drill", { body: {} });
  const answer = await json<ChatAnswer>(ask());
  expect(answer).toMatchObject({
    model: SMALL,
    fallback_from: LARGE,
    retries: 0,
    degraded: ["no_jobs", "fallback_model"],
  });
  expect(large.bodies).toEqual([]);
  await stack.call("POST", "/v1/degraded/fallback_model/end");
  expect(await json<ChatAnswer>(ask())).toMatchObject({ model: LARGE, fallback_from: null, degraded: ["no_jobs"] });
});

test("an admin can let each model of a node answer a real request", async () => {
  large.answer = () => unavailable();
  const check = (node: FailingNode) => stack.call("POST", `/v1/nodes/${new URL(node.url).host}/check`);
  expect(await json(check(small))).toMatchObject({ ok: true, models: [{ model: SMALL, ok: true, error: null }] });
  expect(await json(check(large))).toMatchObject({
    ok: false,
    models: [{ model: LARGE, ok: false, error: { code: "unavailable" } }],
  });
  expect((await stack.call("POST", "/v1/nodes/none/check")).status).toBe(404);
});

test("a model whose node is down is replaced without a retry", async () => {
  await large.close();
  await until("the node is down", async () => {
    const { data } = await json<{ data: { state: string }[] }>(stack.call("GET", "/v1/nodes"));
    return data.some(({ state }) => state === "down");
  });
  expect(await json<ChatAnswer>(ask())).toMatchObject({ model: SMALL, fallback_from: LARGE, retries: 0 });
});
