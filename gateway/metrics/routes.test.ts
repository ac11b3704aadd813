import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Stack, startStack } from "../../tests/contract/stack";
import { until } from "../../tests/until";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack({ tokens: 7 });
  await until("the gateway knows its node", async () => (await stack.call("GET", "/readyz")).status === 200);
});
afterAll(() => stack.close());

const json = async (response: Promise<Response>) => JSON.parse(await (await response).text());
const kpis = () => json(stack.call("GET", "/v1/metrics?window=15m&step=1m"));
const ask = async (content: string, body: object = {}) => {
  const messages = [{ role: "user", content }];
  const response = await stack.call("POST", "/v1/chat/completions", { body: { messages, temperature: 0, ...body } });
  return { status: response.status, text: await response.text() };
};

test("requests, errors, tokens, cache hits and slots are counted", async () => {
  const answered = JSON.parse((await ask("Count this.")).text);
  await ask("Count this.");
  await ask("Count this.", { stream: true });
  expect((await ask("Count this.", { max_tokens: -1 })).status).toBe(400);

  const { totals, routes, stages, now, series } = await kpis();
  expect(totals).toMatchObject({
    prompt_tokens: answered.usage.prompt_tokens,
    completion_tokens: answered.usage.completion_tokens,
    cache: { hits: { memory: 2, redis: 0, in_flight: 0 }, misses: 1 },
  });
  expect(totals.errors_by_code.invalid_request).toBe(1);
  const chat = routes.find(({ route }: { route: string }) => route === "/v1/chat/completions");
  expect(chat).toMatchObject({ method: "POST", requests: 4, errors: 1, latency_ms: { count: 4 } });
  expect(stages.ttft.count).toBe(3);
  expect(stages.queue.count).toBe(1);
  expect(stages.gateway.count).toBe(3);
  expect(now.slots.total).toBeGreaterThan(0);
  expect(series).toHaveLength(15);
  expect(series.at(-1).requests + series.at(-2).requests).toBe(totals.requests);
});

test("a scrape is in Prometheus text format and contains no unclassified errors", async () => {
  await ask("Scrape this.");
  const response = await stack.call("GET", "/metrics");
  expect(response.headers.get("content-type")).toStartWith("text/plain");
  const text = await response.text();
  expect(text).toContain("# TYPE gen_ai_server_time_to_first_token_seconds histogram");
  expect(text).toMatch(/gen_ai_client_token_usage_count\{.*gen_ai_token_type="output".*\} \d/);
  expect(text).toMatch(/groundwire_node_slots\{node=".+"\} [1-9]/);
  expect(text).toContain('groundwire_http_errors_total{domain="unclassified",code="",route=""} 0\n');
  expect(text.match(/domain="unclassified"/g)).toHaveLength(1);
});

test("a key with the metrics role can scrape and do nothing else", async () => {
  const key = await stack.keyOf("metrics");
  expect((await stack.call("GET", "/metrics", { key })).status).toBe(200);
  expect((await stack.call("GET", "/v1/metrics", { key })).status).toBe(403);
  expect((await stack.call("GET", "/metrics", { key: null })).status).toBe(401);
  const viewer = await stack.keyOf("viewer");
  expect((await stack.call("GET", "/v1/metrics", { key: viewer })).status).toBe(200);
});

test.each([
  ["?window=15x", "window"],
  ["?window=49h&step=1m", "window"],
  ["?window=24h&step=1m", "step"],
])("%s is a 400 that names the parameter", async (query, param) => {
  const response = await stack.call("GET", `/v1/metrics${query}`);
  expect([response.status, JSON.parse(await response.text()).error.param]).toEqual([400, param]);
});
