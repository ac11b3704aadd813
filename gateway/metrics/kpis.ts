import { AppError } from "../../lib/errors";
import { round } from "../../lib/round";
import type { Kpis, MetricsPoint, MetricsQuery, Percentiles, RouteMetrics } from "./contract";
import type { LogHistogram } from "./histogram";
import { KEPT_STEPS, type Measurements, STEP_MS, type Traffic, type Window } from "./window";

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const MAX_POINTS = 1000;
const KEPT_MS = KEPT_STEPS * STEP_MS;

/** Converts "15m" to milliseconds. The contract has validated the format. */
const parseDuration = (text: string): number => {
  const unit = text.at(-1);
  return Number.parseInt(text, 10) * (unit === "s" || unit === "m" || unit === "h" || unit === "d" ? UNIT_MS[unit] : 1);
};

const wholeSteps = (ms: number): number => Math.ceil(ms / STEP_MS) * STEP_MS;

/** Window and step in milliseconds, both whole minutes. Throws invalid_request for a window of more than a day. */
const spanOf = ({ window = "1h", step = "1m" }: MetricsQuery): { windowMs: number; stepMs: number } => {
  const stepMs = wholeSteps(parseDuration(step));
  const windowMs = Math.ceil(wholeSteps(parseDuration(window)) / stepMs) * stepMs;
  if (parseDuration(window) > KEPT_MS) {
    throw new AppError(
      "invalid_request",
      `window must be 24h or less, not ${window}, because metrics are kept for a day.`,
      {
        param: "window",
      },
    );
  }
  if (windowMs / stepMs > MAX_POINTS) {
    throw new AppError("invalid_request", `${window} in steps of ${step} has more than ${MAX_POINTS} steps.`, {
      param: "step",
    });
  }
  return { windowMs, stepMs };
};

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

const trafficOf = (traffic: Traffic): Pick<RouteMetrics, "requests" | "errors" | "errors_by_code" | "latency_ms"> => ({
  requests: traffic.requests,
  errors: traffic.errors,
  errors_by_code: Object.fromEntries(traffic.errorsByCode),
  latency_ms: percentiles(traffic.latency),
});

const routesOf = ({ routes }: Measurements): RouteMetrics[] =>
  [...routes].map(([name, traffic]) => {
    const space = name.indexOf(" ");
    const route = name.slice(space + 1).replace(/:(\w+)/g, "{$1}");
    return { method: name.slice(0, space), route, ...trafficOf(traffic) };
  });

const point = (at: number, measured: Measurements): MetricsPoint => {
  const traffic = measured.traffic();
  return {
    at: new Date(at).toISOString(),
    requests: traffic.requests,
    errors: traffic.errors,
    latency_ms: percentiles(traffic.latency),
    ttft_ms: percentiles(measured.stages.ttft),
    prompt_tokens: measured.promptTokens,
    completion_tokens: measured.completionTokens,
    cache: cacheCounts(measured),
  };
};

/**
 * The key figures for the window that ends at `now`. Points start at multiples of the step. The last one is the current
 * step, so the window starts up to one step later than requested.
 */
export const readKpis = (
  kept: Window,
  query: MetricsQuery,
  nodes: { queueDepth: number; slots: number; running: number },
  now: number,
): Kpis => {
  const { windowMs, stepMs } = spanOf(query);
  const end = (Math.floor(now / stepMs) + 1) * stepMs;
  const from = end - windowMs;
  const all = kept.between(from, end);
  const traffic = all.traffic();
  const series: MetricsPoint[] = [];
  for (let at = from; at < end; at += stepMs) series.push(point(at, kept.between(at, at + stepMs)));
  return {
    from: new Date(from).toISOString(),
    to: new Date(now).toISOString(),
    step_seconds: stepMs / 1000,
    totals: {
      ...trafficOf(traffic),
      error_rate: traffic.requests === 0 ? 0 : traffic.errors / traffic.requests,
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
    },
    now: { queue_depth: nodes.queueDepth, slots: { total: nodes.slots, running: nodes.running } },
    series,
  };
};
