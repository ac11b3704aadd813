import { type Static, Type } from "@sinclair/typebox";
import { Count, Milliseconds, Nullable, OneOf, Share, Timestamp } from "../contract";
import { Interval, Rate } from "../evals/statistics-contract";

const duration = (description: string, options: object) =>
  Type.Optional(
    Type.String({
      pattern: "^[1-9][0-9]{0,4}[smhd]$",
      description: `${description}: a number followed by s, m, h or d`,
      ...options,
    }),
  );

/** `GET /v1/metrics`. At most 1,000 steps. */
export const MetricsQuery = Type.Object({
  window: duration("Time span", { default: "1h", examples: ["1h"] }),
  step: duration(
    "Time per point, rounded up to whole minutes. Under an hour, the window can be 48h; under a day, 62d; otherwise 400d. Default: at most 60 points",
    { examples: ["1m"] },
  ),
});
export type MetricsQuery = Static<typeof MetricsQuery>;

/** `GET /v1/metrics/export`. */
export const MetricsExportQuery = Type.Object({
  ...MetricsQuery.properties,
  format: Type.Optional(OneOf(["json", "csv"], { default: "json", description: "json: all metrics; csv: one table" })),
  table: Type.Optional(
    OneOf(["series", "routes", "nodes", "evaluations", "cost"], { default: "series", description: "Only for csv" }),
  ),
});
export type MetricsExportQuery = Static<typeof MetricsExportQuery>;

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
  errors: Count("Responses with status 400 or higher, not including `cancelled`"),
  server_errors: Count("`errors` caused by a node or the gateway, not by the caller or a limit"),
  errors_by_code: Type.Record(Type.String(), Count()),
  cancelled: Count("Requests that the client cancelled before the response was complete"),
  latency_ms: Percentiles,
};

export const RouteMetrics = Type.Object(
  { method: Type.String(), route: Type.String({ description: "The pattern: `/v1/keys/{id}`" }), ...traffic },
  { title: "RouteMetrics" },
);
export type RouteMetrics = Static<typeof RouteMetrics>;

/** The state of a node over a period, from checks every ten seconds. */
export const NodeMetrics = Type.Object(
  {
    node: Type.String(),
    up: Share("Fraction of checks in which it accepted requests"),
    slots: Type.Number({ minimum: 0, description: "Mean number of slots" }),
    running: Type.Number({ minimum: 0, description: "Mean number of slots in use" }),
    queue_depth: Type.Number({ minimum: 0, description: "Mean number of waiting requests" }),
    max_queue_depth: Count(),
    memory_bytes: Nullable(Type.Number({ minimum: 0 }), {
      description: "Mean memory in use on its machine; null: the node doesn't report it",
    }),
  },
  { title: "NodeMetrics" },
);
export type NodeMetrics = Static<typeof NodeMetrics>;

export const MetricsPoint = Type.Object(
  {
    at: Timestamp,
    requests: Count(),
    errors: Count(),
    server_errors: Count(),
    cancelled: Count(),
    answers: Count(),
    latency_ms: Percentiles,
    queue_ms: Percentiles,
    ttft_ms: Percentiles,
    prompt_tokens: Count(),
    completion_tokens: Count(),
    cache: cacheCounts,
    nodes: Type.Array(NodeMetrics, { description: "Empty: no gateway was running" }),
  },
  { title: "MetricsPoint" },
);
export type MetricsPoint = Static<typeof MetricsPoint>;

const EvaluationPoint = Type.Object(
  {
    at: Timestamp,
    run_id: Type.String(),
    run_name: Type.String(),
    revision: Type.Integer({ minimum: 1, description: "Revision of the dataset" }),
    n: Count("Samples with a value"),
    errors: Count("Samples without a value"),
    pass_rate: Nullable(Rate),
    mean: Nullable(Type.Number()),
    interval: Nullable(Interval, { description: "Interval of the mean" }),
  },
  { title: "EvaluationPoint" },
);

/** Figures of the completed batch runs of one dataset, by one version of one evaluator. Versions are never mixed. */
export const EvaluationTrend = Type.Object(
  {
    dataset: Type.Object({ id: Type.String(), name: Type.String() }),
    metric: Type.String(),
    direction: OneOf(["higher_is_better", "lower_is_better"]),
    criterion_hash: Type.String({
      description: "sha256 of the criterion: a new wording or threshold starts a new trend",
    }),
    evaluator: Type.String({ description: "`name@version`" }),
    shadow: Type.Boolean({ description: "Excluded from the verdicts" }),
    points: Type.Array(EvaluationPoint, { description: "Oldest first" }),
  },
  { title: "EvaluationTrend" },
);
export type EvaluationTrend = Static<typeof EvaluationTrend>;

const Amount = Nullable(Type.Number({ minimum: 0 }), { description: "null: no price is configured" });
const Seconds = (description: string) => Type.Number({ minimum: 0, description });

/** How the time of the rented machines was used, and what it cost. The amounts add up to `amount`. */
export const MachineCost = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    currency: Type.String(),
    price_per_hour: Nullable(Type.Number({ minimum: 0 }), {
      description:
        "GROUNDWIRE_GPU_PRICE_PER_HOUR, the total for all machines. The current price is used for the whole period",
    }),
    seconds: Seconds("Length of the period. Estimated: the machines are assumed to have been rented the whole time"),
    amount: Amount,
    idle_seconds: Seconds("Unused time, including unused slots"),
    idle_amount: Amount,
    keys: Type.Array(
      Type.Object({
        key_id: Type.String(),
        name: Nullable(Type.String(), { description: "null: the key no longer exists" }),
        requests: Count(),
        prompt_tokens: Count(),
        completion_tokens: Count(),
        seconds: Seconds("Measured: time in slots, divided by the number of slots"),
        amount: Amount,
        job_seconds: Seconds("The part that jobs workers used, for evaluation runs and documents"),
      }),
      { description: "Most time first" },
    ),
    runs: Type.Array(
      Type.Object({
        run_id: Type.String(),
        name: Type.String(),
        seconds: Seconds(
          "Estimated from the run's outputs and the current number of slots, without judges. Included in its key's time",
        ),
        amount: Amount,
      }),
      { description: "Batch runs that ended in the period, most time first" },
    ),
  },
  { title: "MachineCost" },
);
export type MachineCost = Static<typeof MachineCost>;

/** Response of `GET /v1/metrics`. */
export const Kpis = Type.Object(
  {
    from: Timestamp,
    to: Timestamp,
    since: Type.String({ ...Timestamp, description: "Start of the stored metrics" }),
    step_seconds: Type.Integer({ minimum: 1 }),
    totals: Type.Object({
      ...traffic,
      requests: Count("API requests and submitted forms. Page views, files and probes are only in `routes`"),
      answers: Count("Chats and completions, including those from the cache and those that failed"),
      error_rate: Share("`server_errors` as a proportion of all requests; 0 if there are no requests"),
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
        total: Percentiles,
        embedding: Percentiles,
        rerank: Percentiles,
      },
      {
        description:
          "Stages of chats and completions: gateway: everything except waiting and generating; queue: waiting for a slot; ttft: arrival to first token; generation: first token to end; total: arrival to end. The last three cover only completed answers. embedding, rerank: whole calls to embedding and rerank models",
      },
    ),
    nodes: Type.Array(NodeMetrics),
    now: Type.Object({
      queue_depth: Count("Requests waiting for a slot, on all nodes"),
      slots: Type.Object({ total: Count(), running: Count() }),
      running_evals: Count("Runs that are queued, running or paused"),
    }),
    series: Type.Array(MetricsPoint, { description: "Oldest first, one per step, including steps without requests" }),
    evaluations: Type.Array(EvaluationTrend),
    cost: MachineCost,
  },
  { title: "Kpis" },
);
export type Kpis = Static<typeof Kpis>;
