import { round } from "../../lib/round";
import type { Kpis, MetricsPoint, NodeMetrics, Percentiles, RouteMetrics } from "./contract";
import type { LogHistogram } from "./histogram";
import { Measurements, type Traffic } from "./measurements";
import type { Rollups } from "./rollups";
import type { Span } from "./span";

const rounded = (ms: number | undefined): number | null => (ms === undefined ? null : round(ms, 3));

/** Nearest-rank percentiles in milliseconds, at most 4.8 % off. */
const percentiles = (histogram: LogHistogram): Percentiles => ({
  count: histogram.count,
  p50: rounded(histogram.quantile(0.5)),
  p95: rounded(histogram.quantile(0.95)),
  p99: rounded(histogram.quantile(0.99)),
});

/** hit_rate = hits / (hits + misses), excluding requests that bypassed the cache. A joined generation is a hit. */
const cacheCounts = ({ hits, misses, bypasses }: Measurements): MetricsPoint["cache"] => {
  const served = hits.memory + hits.redis + hits.in_flight;
  return { hits: { ...hits }, misses, bypasses, hit_rate: served + misses === 0 ? null : served / (served + misses) };
};

const trafficOf = (traffic: Traffic): Omit<RouteMetrics, "method" | "route"> => ({
  requests: traffic.requests,
  errors: traffic.errors,
  server_errors: traffic.serverErrors,
  cancelled: traffic.cancelled,
  errors_by_code: Object.fromEntries(traffic.errorsByCode),
  latency_ms: percentiles(traffic.latency),
});

const routesOf = ({ routes }: Measurements): RouteMetrics[] =>
  [...routes].map(([name, traffic]) => {
    const space = name.indexOf(" ");
    const route = name.slice(space + 1).replace(/:(\w+)/g, "{$1}");
    return { method: name.slice(0, space), route, ...trafficOf(traffic) };
  });

const nodesOf = ({ nodes }: Measurements): NodeMetrics[] =>
  [...nodes]
    .filter(([, { looks }]) => looks > 0)
    .map(([node, { looks, up, slots, running, waiting, maxWaiting, memoryBytes, memoryLooks }]) => ({
      node,
      up: up / looks,
      slots: slots / looks,
      running: running / looks,
      queue_depth: waiting / looks,
      max_queue_depth: maxWaiting,
      memory_bytes: memoryLooks === 0 ? null : Math.round(memoryBytes / memoryLooks),
    }))
    .toSorted((a, b) => a.node.localeCompare(b.node, "en", { numeric: true }));

const point = (at: number, measured: Measurements): MetricsPoint => {
  const traffic = measured.traffic();
  return {
    at: new Date(at).toISOString(),
    requests: traffic.requests,
    errors: traffic.errors,
    server_errors: traffic.serverErrors,
    cancelled: traffic.cancelled,
    answers: measured.answers,
    latency_ms: percentiles(traffic.latency),
    queue_ms: percentiles(measured.stages.queue),
    ttft_ms: percentiles(measured.stages.ttft),
    prompt_tokens: measured.promptTokens,
    completion_tokens: measured.completionTokens,
    cache: cacheCounts(measured),
    nodes: nodesOf(measured),
  };
};

/** The measurements of a span, by step. */
export const readSteps = async (rollups: Rollups, { from, end, stepMs, resolution }: Span): Promise<Measurements[]> => {
  const steps = Array.from({ length: (end - from) / stepMs }, () => new Measurements());
  const unread = new Measurements();
  await rollups.read({ resolution, from, to: end }, (at) => steps[Math.floor((at - from) / stepMs)] ?? unread);
  return steps;
};

/** The figures of all steps together, and of each step. */
export const figuresOf = (
  { from, stepMs }: Span,
  steps: readonly Measurements[],
  all: Measurements,
): Pick<Kpis, "step_seconds" | "totals" | "routes" | "stages" | "nodes" | "series"> => {
  const traffic = all.traffic();
  return {
    step_seconds: stepMs / 1000,
    totals: {
      ...trafficOf(traffic),
      answers: all.answers,
      error_rate: traffic.requests === 0 ? 0 : traffic.serverErrors / traffic.requests,
      prompt_tokens: all.promptTokens,
      completion_tokens: all.completionTokens,
      cache: cacheCounts(all),
    },
    routes: routesOf(all),
    stages: {
      gateway: percentiles(all.stages.gateway),
      queue: percentiles(all.stages.queue),
      ttft: percentiles(all.stages.ttft),
      generation: percentiles(all.stages.generation),
      total: percentiles(all.stages.total),
      embedding: percentiles(all.stages.embedding),
      rerank: percentiles(all.stages.rerank),
    },
    nodes: nodesOf(all),
    series: steps.map((measured, index) => point(from + index * stepMs, measured)),
  };
};
