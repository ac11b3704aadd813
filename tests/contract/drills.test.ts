import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import type { ChatAnswer } from "../../gateway/chat/contract";
import type { Readiness } from "../../gateway/health/contract";
import type { ResponseObject } from "../../gateway/responses/contract";
import { until } from "../until";
import { degradedNow, everywhere, json, seenIn } from "./degraded-places";
import { type Stack, startStack } from "./stack";

/* What drills of degraded modes change. degraded.test.ts checks where each mode is reported. */

const BUSY_MAX_TOKENS = 4;

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({}, { gateway: { busyMaxTokens: BUSY_MAX_TOKENS } });
  await until("nothing is reduced", async () => (await degradedNow(stack)).length === 0);
});
afterAll(() => stack.close());
// A failed test must not fail the following ones.
afterEach(async () => {
  for (const code of stack.gateway.services.health.degradations.codes()) await end(code);
});

const ASK = { messages: [{ role: "user", content: "Name three colours." }], temperature: 0 };

const seen = () => seenIn(stack);

const drill = (code: string, body?: object) => stack.call("POST", `/v1/degraded/${code}/drill`, { body: body ?? {} });
const end = (code: string) => stack.call("POST", `/v1/degraded/${code}/end`);
const ask = (body: object = ASK) => stack.call("POST", "/v1/chat", { body });

test("/readyz returns 200 during a drill, and says that it is a drill", async () => {
  await drill("cached_only");
  const response = await stack.call("GET", "/readyz", { key: null });
  expect(response.status).toBe(200);
  expect(await json<Readiness>(response)).toMatchObject({
    status: "degraded",
    degraded: [{ code: "cached_only", drill: true }],
  });
  await end("cached_only");
});

test("only admins run drills; everyone who may read the dashboard sees the modes", async () => {
  const [viewer, editor] = [await stack.keyOf("viewer"), await stack.keyOf("editor")];
  expect((await stack.call("GET", "/v1/degraded", { key: viewer })).status).toBe(200);
  for (const path of ["/v1/degraded/cache_off/drill", "/v1/degraded/cache_off/end"]) {
    expect((await stack.call("POST", path, { key: editor, body: {} })).status).toBe(403);
  }
});

test.each([
  ["no_such_mode", {}, "code"],
  ["cache_off", { minutes: 0 }, "minutes"],
  ["cache_off", { minutes: 241 }, "minutes"],
  ["cache_off", { hours: 1 }, "hours"],
])("a drill of %s with %j is refused and names the field", async (code, body, param) => {
  const response = await drill(code, body);
  expect([response.status, (await json<{ error: { param: string } }>(response)).error.param]).toEqual([400, param]);
});

test("cached_only: cached answers are served, and all others get a 503 with the code and a retry time", async () => {
  await ask();
  await drill("cached_only");
  expect((await ask()).headers.get("cache-status")).toContain("; hit");
  for (const [path, body] of [
    ["/v1/chat", { messages: [{ role: "user", content: "Something new" }] }],
    ["/v1/embeddings", { model: "all-minilm-l6-v2", input: "something new" }],
  ] as const) {
    const refused = await stack.call("POST", path, { body });
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await json<{ error: object }>(refused)).toMatchObject({
      error: { code: "unavailable", details: [{ path: "degraded", message: "cached_only" }] },
    });
  }
  await end("cached_only");
});

test("cache_off: a cached answer is generated again", async () => {
  await ask();
  await drill("cache_off");
  expect((await ask()).headers.get("cache-status")).toBe('Groundwire; fwd=bypass; detail="the cache is off"');
  await end("cache_off");
  expect((await ask()).headers.get("cache-status")).toContain("; hit");
});

test("fewer_tokens: interactive answers are cut and never cached as complete; batch answers are not cut", async () => {
  const question = { messages: [{ role: "user", content: "A long story, please." }], temperature: 0 };
  await drill("fewer_tokens");
  const short = await json<ChatAnswer>(ask(question));
  expect([short.finish_reason, short.usage.completion_tokens]).toEqual(["length", BUSY_MAX_TOKENS]);
  const response = stack.call("POST", "/v1/responses", { body: { input: "A long story, please." } });
  expect(await json<ResponseObject>(response)).toMatchObject({
    ...{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
    usage: { output_tokens: BUSY_MAX_TOKENS },
  });
  const batch = await stack.call("POST", "/v1/chat", { body: question, headers: { "x-priority": "batch" } });
  expect((await json<ChatAnswer>(batch)).usage.completion_tokens).toBeGreaterThan(BUSY_MAX_TOKENS);
  const evaluated = await stack.call("POST", "/v1/evaluate", {
    body: { sample: { input: "A story.", references: ["a"] } },
  });
  expect(
    (await json<{ result: { output: { usage: { completion_tokens: number } } } }>(evaluated)).result.output.usage,
  ).toMatchObject({ completion_tokens: short.usage.completion_tokens * 4 });
  await end("fewer_tokens");
  const long = await json<ChatAnswer>(ask(question));
  expect([long.finish_reason, long.usage.completion_tokens > BUSY_MAX_TOKENS]).toEqual(["stop", true]);
});

test("no_evals: single evaluations get a 503, and a run waits and continues by itself", async () => {
  const samples = Array.from({ length: 3 }, (_, n) => ({ input: `Question ${n}`, references: ["a"] }));
  const made = await stack.call("POST", "/v1/datasets", { body: { name: "drill", samples } });
  const { dataset } = await json<{ dataset: { id: string } }>(made);
  await drill("no_evals");
  const refused = await stack.call("POST", "/v1/evaluate", { body: { sample: samples[0] } });
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
  expect(await json<{ error: object }>(refused)).toMatchObject({
    error: { code: "unavailable", details: [{ path: "degraded", message: "no_evals" }] },
  });
  const run = await stack.call("POST", "/v1/batch-evals", { body: { dataset: dataset.id, target: { kind: "chat" } } });
  const { id } = await json<{ id: string }>(run);
  const progress = async () =>
    json<{ state: string; progress: { done: number } }>(stack.call("GET", `/v1/batch-evals/${id}`));
  await until("the run is working", async () => (await progress()).state === "running");
  expect((await ask()).status).toBe(200);
  expect((await progress()).progress.done).toBe(0);
  await end("no_evals");
  await until("the run has ended", async () => (await progress()).state === "completed");
  expect((await progress()).progress.done).toBe(3);
});

const signIn = async (): Promise<string> => {
  const response = await fetch(`${stack.url}/sign-in`, {
    method: "POST",
    body: new URLSearchParams({ key: stack.adminKey }),
    headers: { origin: stack.url },
    redirect: "manual",
  });
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
};

test("an admin runs a drill from the system page without scripts; the banner says that it is a drill", async () => {
  const headers = { cookie: await signIn(), origin: stack.url };
  const send = (fields: Record<string, string>) =>
    fetch(`${stack.url}/system/drills`, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers,
      redirect: "manual",
    });
  const started = await send({ code: "cache_off", action: "start", minutes: "5" });
  expect([started.status, started.headers.get("location")]).toEqual([303, "/system?drill=cache_off&done=started"]);
  const shown = await (await fetch(`${stack.url}/system?drill=cache_off&done=started`, { headers })).text();
  for (const text of ["Drill of cache_off started.", "<strong>Drill: </strong>", "End drill of cache_off"]) {
    expect(shown).toContain(text);
  }
  expect((await send({ code: "cache_off", action: "end" })).status).toBe(303);
  expect(await seen()).toEqual(everywhere([]));
});
