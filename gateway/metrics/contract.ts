import { type Static, Type } from "@sinclair/typebox";
import { Count, Milliseconds, Nullable, Share, Timestamp } from "../contract";

const duration = (description: string, value: string) =>
  Type.Optional(
    Type.String({
      pattern: "^[1-9][0-9]{0,4}[smhd]$",
      default: value,
      description: `${description}: a number followed by s, m, h or d`,
      examples: [value],
    }),
  );

/** `GET /v1/metrics`. At most 1,000 steps. A step is rounded up to whole minutes. */
export const MetricsQuery = Type.Object({
  window: duration("Time span", "1h"),
  step: duration("Time per point", "1m"),
});
export type MetricsQuery = Static<typeof MetricsQuery>;

/** null: no measurements. */
export const Percentiles = Type.Object(
  {
    count: Count(),
    p50: Nullable(Milliseconds("Median")),
    p95: Nullable(Milliseconds("95th percentile")),
    p99: Nullable(Milliseconds("99th percentile")),
  },
  { title: "Percentiles" },
);
export type Percentiles = Static<typeof Percentiles>;

const cacheCounts = Type.Object(
  {
    hits: Type.Object({ memory: Count(), redis: Count(), in_flight: Count("Joined an identical request in progress") }),
    misses: Count(),
    bypasses: Count(),
    hit_rate: Nullable(Share("hits / (hits + misses)"), { description: "null: there were none" }),
  },
  { title: "CacheCounts" },
);

const traffic = {
  requests: Count(),
  errors: Count("Responses with status 400 or higher"),
  errors_by_code: Type.Record(Type.String(), Count()),
  latency_ms: Percentiles,
};

export const RouteMetrics = Type.Object(
  { method: Type.String(), route: Type.String({ description: "The pattern: `/v1/keys/{id}`" }), ...traffic },
  { title: "RouteMetrics" },
);
export type RouteMetrics = Static<typeof RouteMetrics>;

export const MetricsPoint = Type.Object(
  {
    at: Timestamp,
    requests: Count(),
    errors: Count(),
    latency_ms: Percentiles,
    ttft_ms: Percentiles,
    prompt_tokens: Count(),
    completion_tokens: Count(),
    cache: cacheCounts,
  },
  { title: "MetricsPoint" },
);
export type MetricsPoint = Static<typeof MetricsPoint>;

/** Response of `GET /v1/metrics`. */
export const Kpis = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    step_seconds: Type.Integer({ minimum: 1 }),
    totals: Type.Object({
      ...traffic,
      error_rate: Share("Errors as a proportion of all requests; 0 without requests"),
      prompt_tokens: Count(),
      completion_tokens: Count(),
      cache: cacheCounts,
    }),
    routes: Type.Array(RouteMetrics),
    stages: Type.Object(
      {
        gateway: Percentiles,
        queue: Percentiles,
        ttft: Percentiles,
        generation: Percentiles,
      },
      {
        description:
          "gateway: everything except waiting and generating; queue: waiting for a slot; ttft: arrival to first token; generation: first token to end",
      },
    ),
    now: Type.Object({
      queue_depth: Count("Requests waiting for a slot, on all nodes"),
      slots: Type.Object({ total: Count(), running: Count() }),
    }),
    series: Type.Array(MetricsPoint, { description: "Oldest first, one per step, including steps without requests" }),
  },
  { title: "Kpis" },
);
export type Kpis = Static<typeof Kpis>;
