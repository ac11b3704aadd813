import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { LimitsExplanation } from "../../gateway/limits/contract";
import { until } from "../until";
import { type Stack, startStack } from "./stack";

const CHAT = "smollm2-135m-instruct";

/** An answer has 8 tokens and takes 160 ms. */
let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ tokens: 8, tokenMs: 20 }, { gateway: { gpuPricePerHour: 3.6 } });
});
afterAll(() => stack.close());

const newKey = (settings: Record<string, unknown>) => stack.keyOf("member", settings);
let prompts = 0;
const chat = (key: string, more: object = {}, signal?: AbortSignal) =>
  fetch(`${stack.url}/v1/chat`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: `question ${++prompts}` }], max_tokens: 8, ...more }),
    signal,
  });
const explain = async (key: string): Promise<LimitsExplanation> =>
  (await (await stack.call("GET", "/v1/limits/explain", { key })).json()) as LimitsExplanation;
const usedOf = async (key: string, name: string): Promise<number | undefined> =>
  (await explain(key)).limits.find((limit) => limit.name === name)?.used;
const errorOf = async (response: Response) => {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return [response.status, error.code, error.message];
};

describe("a limit of tokens", () => {
  test.each([false, true])("counts what an answer used, streamed: %p", async (stream) => {
    const key = await newKey({ tokens_per_minute: 1000 });
    const response = await chat(key, { stream });
    expect(Number(response.headers.get("x-ratelimit-remaining-tokens"))).toBeLessThan(1000 - 8);
    const text = await response.text();
    const used = Number(/"total_tokens":(\d+)/.exec(text)?.[1]);
    expect(used).toBeGreaterThan(8);
    await until("the answer is settled", async () => (await usedOf(key, "tokens_per_minute")) === used);
  });

  test("L3: lets the running stream end, and refuses the next request with the limit, whose it is and when it frees", async () => {
    const key = await newKey({ tokens_per_minute: 60 });
    const first = await chat(key, { stream: true, max_tokens: undefined });
    const refused = await chat(key);
    expect(refused.headers.get("retry-after")).toMatch(/^6[01]$/);
    expect(refused.headers.get("ratelimit")).toMatch(/^"tokens";r=\d+;t=6[01]$/);
    const [status, code, message] = await errorOf(refused);
    expect([status, code]).toEqual([429, "rate_limited"]);
    expect(message).toMatch(/^The key "a member" has .*limit of 60 tokens per minute.* Try again in 6[01] s\.$/);
    expect(await first.text()).toContain("[DONE]");
  });

  test("returns what an answer did not use when its client leaves", async () => {
    const key = await newKey({ tokens_per_minute: 5000 });
    const leave = new AbortController();
    const response = await chat(key, { stream: true, max_tokens: 1000 }, leave.signal);
    await response.body?.getReader().read();
    expect(await usedOf(key, "tokens_per_minute")).toBeGreaterThan(1000);
    leave.abort();
    await until("the rest is returned", async () => ((await usedOf(key, "tokens_per_minute")) ?? 0) < 200);
    expect(await usedOf(key, "parallel_requests")).toBe(0);
  });

  test("counts embeddings, but not answers and vectors from the cache", async () => {
    const key = await newKey({ tokens_per_minute: 1000 });
    const repeated = { messages: [{ role: "user", content: "the same" }], temperature: 0 };
    await (await chat(key, repeated)).text();
    const first = await usedOf(key, "tokens_per_minute");
    await (await chat(key, repeated)).text();
    expect(await usedOf(key, "tokens_per_minute")).toBe(first);
    for (const input of ["a text", "a text"]) await stack.call("POST", "/v1/embeddings", { key, body: { input } });
    const embedded = ((await usedOf(key, "tokens_per_minute")) ?? 0) - (first ?? 0);
    expect([embedded > 0, embedded < 10]).toEqual([true, true]);
  });

  test("is returned in full if no node accepts the request", async () => {
    const key = await newKey({ tokens_per_minute: 1000 });
    const response = await chat(key, { messages: [{ role: "user", content: "!error unavailable" }] });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await usedOf(key, "tokens_per_minute")).toBe(0);
  });
});

test("a budget in money is used up by machine time and ends with 402, without retry-after", async () => {
  const key = await newKey({
    budgets: [
      { unit: "money", amount: 0.000001, window: "total" },
      { unit: "gpu_seconds", amount: 100, window: "day" },
    ],
  });
  expect((await chat(key)).status).toBe(200);
  const refused = await chat(key);
  expect([refused.headers.has("retry-after"), refused.headers.get("x-should-retry")]).toEqual([false, "false"]);
  expect(await errorOf(refused)).toEqual([
    402,
    "budget_exhausted",
    'The key "a member" has used up its 0.000001 USD in total. Ask an admin for a larger budget.',
  ]);
  expect(await usedOf(key, "gpu_seconds_per_day")).toBeGreaterThan(0.01);
});

test("a budget of a day is refused with the time when it resets", async () => {
  const key = await newKey({ budgets: [{ unit: "requests", amount: 1, window: "day" }] });
  expect((await stack.call("GET", "/v1/models", { key })).status).toBe(200);
  const refused = await stack.call("GET", "/v1/models", { key });
  const [status, code, message] = await errorOf(refused);
  expect([status, code]).toEqual([429, "budget_exceeded"]);
  expect(message).toMatch(/limit of 1 request per day\. Try again (after \d{4}-\d\d-\d\d 00:00 UTC|in \d+ s)\.$/);
  const resetsInS = 86_400 - ((Date.now() / 1000) % 86_400);
  expect(Math.abs(Number(refused.headers.get("retry-after")) - resetsInS)).toBeLessThan(5);
});

test("limits for a model apply to that model, and a changed limit applies to what was used", async () => {
  const settings = { name: "edited", role: "member", model_limits: [{ model: CHAT, requests_per_minute: 1 }] };
  const created = (await (await stack.call("POST", "/v1/keys", { body: settings })).json()) as {
    id: string;
    key: string;
  };
  expect((await chat(created.key)).status).toBe(200);
  const [status, , message] = await errorOf(await chat(created.key));
  expect([status, message]).toEqual([429, expect.stringContaining(`1 request per minute for the model ${CHAT}`)]);
  expect((await stack.call("POST", "/v1/embeddings", { key: created.key, body: { input: "a" } })).status).toBe(200);
  const changed = await stack.call("PATCH", `/v1/keys/${created.id}`, {
    body: { model_limits: [{ model: CHAT, requests_per_minute: 2 }] },
  });
  expect(((await changed.json()) as { model_limits: object[] }).model_limits).toEqual([
    { model: CHAT, requests_per_minute: 2 },
  ]);
  expect((await chat(created.key)).status).toBe(200);
  expect((await chat(created.key)).status).toBe(429);
});

test("an observed limit doesn't refuse, and the metrics count what it would have refused", async () => {
  const key = await newKey({ requests_per_minute: 1, observe_only: true });
  for (let n = 0; n < 3; n++) {
    const response = await stack.call("GET", "/v1/models", { key });
    expect([response.status, response.headers.get("ratelimit")]).toEqual([200, null]);
  }
  expect((await explain(key)).limits[0]).toMatchObject({ mode: "observe", used: 3, would_refuse: true });
  const metrics = await (await stack.call("GET", "/metrics")).text();
  expect(metrics).toContain(
    'groundwire_limit_refusals_total{limit="requests_per_minute",scope="key",mode="observe"} 2',
  );
});

test("explain says who used the limits", async () => {
  const key = await newKey({ tokens_per_minute: 1000 });
  await (await chat(key)).text();
  const { consumers } = await explain(key);
  expect(consumers.map(({ route, model, requests, tokens }) => [route, model, requests, tokens > 0])).toEqual([
    ["/v1/chat", CHAT, 1, true],
    ["/v1/chat", null, 1, false],
  ]);
});

test("1,000 parallel requests of one key with a limit: never one too many", async () => {
  const key = await newKey({ requests_per_minute: 300, parallel_requests: 1000 });
  const responses = await Promise.all(Array.from({ length: 1000 }, () => stack.call("GET", "/v1/models", { key })));
  const counts = Map.groupBy(responses, ({ status }) => status);
  expect([counts.get(200)?.length, counts.get(429)?.length]).toEqual([300, 700]);
  for (const response of counts.get(429) ?? []) expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
});

test("J10: a batch run counts every token of its samples for its key, but not its requests, and is named", async () => {
  const settings = { requests_per_minute: 100, budgets: [{ unit: "tokens", amount: 100_000, window: "day" }] };
  const key = await stack.keyOf("editor", settings);
  const samples = Array.from({ length: 20 }, (_, n) => ({
    key: `k${n}`,
    input: `What is ${n}?`,
    references: [`${n}`],
  }));
  const dataset = await stack.call("POST", "/v1/datasets", { key, body: { name: "limited", samples } });
  expect(dataset.status).toBe(201);
  const body = { dataset: "limited", target: { kind: "chat" }, evaluators: ["exact@1"] };
  const started = await stack.call("POST", "/v1/batch-evals", { key, body });
  const { id: run_id } = (await started.json()) as { id: string };
  const read = async <T>(path: string) => (await (await stack.call("GET", path)).json()) as T;
  await until("the run has ended", async () => {
    const { state } = await read<{ state: string }>(`/v1/batch-evals/${run_id}`);
    return state === "completed";
  });
  const { data } = await read<{ data: { output: { usage: { total_tokens: number } } }[] }>(
    `/v1/batch-evals/${run_id}/samples?limit=100`,
  );
  const tokens = data.reduce((sum, { output }) => sum + output.usage.total_tokens, 0);
  expect([data.length, tokens > 20 * 8]).toEqual([20, true]);
  expect(await usedOf(key, "tokens_per_day")).toBe(tokens);
  const { consumers, limits } = await explain(key);
  expect(consumers).toContainEqual(expect.objectContaining({ run_id, model: CHAT, requests: 20, tokens }));
  expect(limits[0]?.used).toBe(2);
});
