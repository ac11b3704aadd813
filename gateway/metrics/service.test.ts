import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Db, openDb } from "../../db/client";
import { migrate } from "../../db/migrate";
import { silentLog } from "../../lib/log";
import type { NodeView } from "../ports/engine";
import type { GenerationSample, RequestSample } from "../ports/recorder";
import { lookAtNodes } from "./gauges";
import { figuresOf } from "./kpis";
import { addStored, Measurements, toStored } from "./measurements";
import { createMetrics } from "./service";
import { spanOf } from "./span";

const request = (fields: Partial<RequestSample> = {}): RequestSample => ({
  method: "POST",
  route: "/v1/chat",
  status: 200,
  durationMs: 100,
  ...fields,
});

const generation = (fields: Partial<GenerationSample> = {}): GenerationSample => ({
  operation: "chat",
  caller: { keyId: "key_1", via: "key" },
  model: "smol",
  node: "node-1",
  stream: false,
  cache: { status: "miss" },
  gatewayMs: 0.2,
  queueMs: 5,
  ttftMs: 50,
  totalMs: 250,
  promptTokens: 12,
  completionTokens: 21,
  ...fields,
});

const node: NodeView = {
  id: "node-1",
  url: "http://127.0.0.1:8081",
  state: "ready",
  since: new Date(0),
  outstanding: 3,
  isDrained: false,
  readiness: {
    state: "ready",
    engine: "synthetic",
    synthetic: true,
    version: "0.1.0",
    models: [],
    slots: { total: 8, running: 3 },
    queue: { depth: 2, capacity: 16 },
  },
};

const start = Date.UTC(2026, 10, 23, 20, 0, 0);
let db: Db;
beforeAll(async () => {
  db = await openDb({ url: ":memory:" }, silentLog());
  await migrate(db);
});
afterAll(() => db.close());

const createAt = (clock: { now: number }) =>
  createMetrics({
    db,
    log: silentLog(),
    price: { gpuPricePerHour: undefined, currency: "USD" },
    engine: { nodes: () => [node] },
    now: () => clock.now,
  });

/** The values of the scrape, by name and labels. */
const scrape = async (metrics: ReturnType<typeof createMetrics>): Promise<Map<string, number>> => {
  const lines = (await metrics.registry.metrics()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(" ");
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
};

test("totals are the sums of the recorded values", async () => {
  const clock = { now: start };
  const metrics = createAt(clock);
  for (let i = 0; i < 98; i++) metrics.request(request());
  metrics.request(request({ status: 429, errorKind: "rate_limited", durationMs: 1 }));
  metrics.request(request({ method: "GET", route: "/v1/keys/:id", durationMs: 2000 }));
  metrics.generation(generation());
  metrics.generation(generation({ cache: { status: "hit", kind: "redis" } }));
  metrics.generation(generation({ cache: { status: "joined", kind: "in_flight" } }));
  metrics.generation(generation({ cache: { status: "bypass", reason: "sampled" } }));

  const { totals, routes, stages, now } = await metrics.kpis({ window: "15m", step: "1m" });
  expect(totals).toMatchObject({ requests: 100, errors: 1, errors_by_code: { rate_limited: 1 } });
  expect(totals.latency_ms.count).toBe(100);
  expect(totals.latency_ms.p50).toBeWithin(95, 105);
  expect(totals.latency_ms.p99).toBeWithin(95, 105);
  expect(totals).toMatchObject({ prompt_tokens: 24, completion_tokens: 42 });
  expect(totals.cache).toEqual({
    hits: { memory: 0, redis: 1, in_flight: 1 },
    misses: 1,
    bypasses: 1,
    hit_rate: 2 / 3,
  });
  expect(routes.map(({ method, route, requests }) => [method, route, requests])).toEqual([
    ["POST", "/v1/chat", 99],
    ["GET", "/v1/keys/{id}", 1],
  ]);
  expect(stages.queue).toMatchObject({ count: 3 });
  expect(stages.generation.p50).toBeWithin(190, 210);
  expect(stages.gateway.p50).toBeWithin(0.19, 0.21);
  expect(now).toEqual({ queue_depth: 2, slots: { total: 8, running: 3 }, running_evals: 0 });
});

test("embeddings, cancelled requests and failed answers don't count as answers, errors and latencies", async () => {
  const metrics = createAt({ now: start + 60_000_000 });
  metrics.request(request());
  metrics.request(request({ status: 502, errorKind: "upstream_error" }));
  metrics.request(request({ status: 499, errorKind: "client_closed", durationMs: 90_000 }));
  metrics.generation(generation());
  metrics.generation(generation({ errorKind: "client_closed", totalMs: 90_000 }));
  metrics.generation(generation({ operation: "embedding", ttftMs: 3, totalMs: 3, completionTokens: 0 }));
  const { totals, stages, routes } = await metrics.kpis({ window: "1m", step: "1m" });
  expect(totals).toMatchObject({ requests: 3, errors: 1, cancelled: 1, answers: 2, error_rate: 1 / 3 });
  expect([totals.errors_by_code, totals.latency_ms.count]).toEqual([{ upstream_error: 1 }, 2]);
  expect(routes[0]).toMatchObject({ requests: 3, errors: 1, cancelled: 1 });
  const counts = Object.entries(stages).map(([stage, { count }]) => [stage, count]);
  expect(counts).toEqual(
    Object.entries({ gateway: 2, queue: 2, ttft: 1, generation: 1, total: 1, embedding: 1, rerank: 0 }),
  );
  expect([stages.ttft.p50, stages.total.p99, stages.embedding.p50]).toEqual([
    expect.closeTo(50, -1),
    expect.closeTo(250, -2),
    expect.closeTo(3, 0),
  ]);
  const scraped = await scrape(metrics);
  const names = [...scraped.keys()].filter((name) =>
    name.startsWith("gen_ai_server_time_to_first_token_seconds_count"),
  );
  expect(names.map((name) => scraped.get(name))).toEqual([1]);
  expect(names[0]).toContain('gen_ai_operation_name="chat"');
  expect([...scraped.keys()].filter((name) => name.includes("client_closed") && name.includes("http_errors"))).toEqual(
    [],
  );
});

test("measurements of earlier versions count cancelled requests as such, and their answers", () => {
  const measured = new Measurements();
  measured.request("POST /v1/chat", request());
  measured.generation(generation(), { answers: 1, embeddings: 1 });
  const { answers, routes, ...stored } = toStored(measured);
  const [requests, , , latency] = routes["POST /v1/chat"] ?? [0, 0, {}, []];
  const codes = { client_closed: 2, internal: 1 };
  const earlier: typeof routes = { "POST /v1/chat": [requests + 3, 3, codes, latency] };
  const read = new Measurements();
  addStored(read, { ...stored, routes: earlier });
  expect([answers, read.answers]).toEqual([1, 1]);
  expect(read.traffic()).toMatchObject({ requests: 4, errors: 1, cancelled: 2 });
  expect(Object.fromEntries(read.traffic().errorsByCode)).toEqual({ internal: 1 });
});

test("every step has a point, even without requests, and older steps are left out", async () => {
  const clock = { now: start };
  const metrics = createAt(clock);
  metrics.request(request());
  clock.now += 2 * 60_000;
  metrics.request(request());
  metrics.request(request());
  const requestsPerStep = async (window: string, step: string) =>
    (await metrics.kpis({ window, step })).series.map(({ requests }) => requests);
  expect(await requestsPerStep("4m", "1m")).toEqual([0, 1, 0, 2]);
  expect(await requestsPerStep("2m", "1m")).toEqual([0, 2]);
  expect(await requestsPerStep("1h", "1h")).toEqual([3]);
  expect(await requestsPerStep("1d", "1d")).toEqual([3]);
  expect(await metrics.kpis({ window: "4m", step: "90s" })).toMatchObject({ step_seconds: 120 });
});

test.each([
  ["49h", "30m", "window must be 48h or less for this step, not 49h"],
  ["63d", "1h", "window must be 62d or less for this step, not 63d"],
  ["401d", "1d", "window must be 400d or less for this step, not 401d"],
  ["24h", "1m", "more than 1000 steps"],
])("a window of %s in steps of %s is rejected", (window, step, message) => {
  expect(() => spanOf({ window, step }, start)).toThrow(message);
});

test.each([
  ["1h", "minute", 60],
  ["24h", "minute", 48],
  ["7d", "hour", 42],
  ["90d", "day", 90],
] as const)("without a step, %s is read from rows per %s, in %i points", (window, resolution, points) => {
  const { from, end, stepMs, ...span } = spanOf({ window }, start);
  expect([span.resolution, (end - from) / stepMs]).toEqual([resolution, points]);
});

test("a node's checks are averaged, and a node that is down has no slots", () => {
  const measured = new Measurements();
  const machine = { cpu: "x", cores: 4, memory: { used_bytes: 3e9, total_bytes: 8e9 } };
  const reporting = { ...node, readiness: node.readiness && { ...node.readiness, machine } };
  lookAtNodes({ engine: { nodes: () => [reporting] } }, measured);
  lookAtNodes({ engine: { nodes: () => [{ ...reporting, state: "down" }] } }, measured);
  const [use] = figuresOf(spanOf({}, start), [], measured).nodes;
  expect(use).toEqual({
    ...{ node: "node-1", up: 0.5, slots: 4, running: 1.5, queue_depth: 1, max_queue_depth: 2 },
    memory_bytes: 3e9,
  });
});

test("a scrape uses OpenTelemetry's names, and counts the models' work", async () => {
  const metrics = createAt({ now: start });
  metrics.generation(generation());
  metrics.generation(generation({ cache: { status: "hit", kind: "memory" } }));
  const values = await scrape(metrics);
  const labels =
    'gen_ai_operation_name="chat",gen_ai_request_model="smol",gen_ai_response_model="smol",gen_ai_provider_name="groundwire"';
  expect(values.get(`gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="input"}`)).toBe(12);
  expect(values.get(`gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"}`)).toBe(21);
  expect(values.get(`gen_ai_server_request_duration_seconds_count{${labels},error_type=""}`)).toBe(1);
  expect(values.get(`gen_ai_server_time_to_first_token_seconds_sum{${labels}}`)).toBe(0.05);
  expect(values.get(`gen_ai_server_time_per_output_token_seconds_sum{${labels}}`)).toBeCloseTo(0.01, 10);
  expect(values.get(`gen_ai_server_time_to_first_token_seconds_bucket{le="0.04",${labels}}`)).toBe(0);
  expect(values.get(`gen_ai_server_time_to_first_token_seconds_bucket{le="0.06",${labels}}`)).toBe(1);
  expect(values.get(`gen_ai_server_time_to_first_token_seconds_bucket{le="+Inf",${labels}}`)).toBe(1);
  expect(values.get('groundwire_cache_requests_total{status="hit",source="memory"}')).toBe(1);
  expect(values.get('groundwire_node_queue_depth{node="node-1"}')).toBe(2);
  expect(values.get('groundwire_node_slots_running{node="node-1"}')).toBe(3);
});

test("every error has a domain; an error without a kind is unclassified", async () => {
  const metrics = createAt({ now: start });
  metrics.request(request({ status: 400, errorKind: "invalid_request" }));
  metrics.request(request({ status: 429, errorKind: "rate_limited" }));
  metrics.request(request({ status: 502, errorKind: "upstream_error" }));
  metrics.request(request({ status: 500, errorKind: "internal" }));
  const errors = async (domain: string, code: string) =>
    (await scrape(metrics)).get(`groundwire_http_errors_total{domain="${domain}",code="${code}",route="/v1/chat"}`);
  expect(await errors("caller", "invalid_request")).toBe(1);
  expect(await errors("policy", "rate_limited")).toBe(1);
  expect(await errors("node", "upstream_error")).toBe(1);
  expect(await errors("gateway", "internal")).toBe(1);
  expect((await scrape(metrics)).get('groundwire_http_errors_total{domain="unclassified",code="",route=""}')).toBe(0);
  metrics.request(request({ status: 500 }));
  expect(await errors("unclassified", "")).toBe(1);
});

test("unknown methods share one label", async () => {
  const metrics = createAt({ now: start });
  for (let i = 0; i < 100; i++) metrics.request(request({ method: `X${i}`, route: "unmatched", status: 404 }));
  const methods = [...(await scrape(metrics)).keys()].filter((name) =>
    name.startsWith("http_server_request_duration_seconds_count"),
  );
  expect(methods).toEqual([
    'http_server_request_duration_seconds_count{http_request_method="other",http_route="unmatched",url_scheme="http",http_response_status_code="404",error_type="not_found"}',
  ]);
});

test.each([
  ["invalid_request", 400, false],
  ["insufficient_role", 403, false],
  ["rate_limited", 429, false],
  ["budget_exhausted", 402, false],
  ["overloaded", 429, true],
  ["unavailable", 503, true],
  ["internal", 500, true],
  [undefined, 500, true],
] as const)("%s (%d) counts toward the error rate: %j", async (errorKind, status, isOurs) => {
  const metrics = createAt({ now: start });
  metrics.request(request({ status, errorKind }));
  const { totals, series } = await metrics.kpis({ window: "15m", step: "1m" });
  expect(totals).toMatchObject({ requests: 1, errors: 1, server_errors: Number(isOurs), error_rate: Number(isOurs) });
  expect(series.reduce((sum, { server_errors }) => sum + server_errors, 0)).toBe(Number(isOurs));
});
