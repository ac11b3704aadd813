import { csvRecord, guardText } from "../../lib/csv";
import type { Kpis, MetricsExportQuery } from "./contract";

type Cell = string | number | null;
type Table = NonNullable<MetricsExportQuery["table"]>;

/** A file with all metrics as JSON, or one table as CSV. */
export const metricsFile = (kpis: Kpis, { format = "json", table = "series" }: MetricsExportQuery) => {
  const name = `groundwire-metrics-${kpis.to.slice(0, 16).replaceAll(":", "")}`;
  if (format === "json") {
    return { name: `${name}.json`, mediaType: "application/json", content: `${JSON.stringify(kpis, null, 2)}\n` };
  }
  const [header, ...rows] = TABLES[table](kpis);
  const content = [header ?? [], ...rows].map((cells) => csvRecord(cells.map(cellText))).join("");
  return { name: `${name}-${table}.csv`, mediaType: "text/csv", content };
};

/** Names may look like formulas, so they are escaped. Numbers are not, because they may be negative. */
const cellText = (cell: Cell): string => (typeof cell === "string" ? guardText(cell) : String(cell ?? ""));

const TABLES: Record<Table, (kpis: Kpis) => Cell[][]> = {
  series: ({ series }) => [
    [
      ...["at", "requests", "errors", "server_errors", "cancelled", "answers"],
      ...["latency_p50_ms", "latency_p95_ms", "latency_p99_ms"],
      ...["queue_p50_ms", "queue_p95_ms", "ttft_p50_ms", "ttft_p95_ms", "ttft_p99_ms"],
      ...["prompt_tokens", "completion_tokens", "cache_hits", "cache_misses", "cache_bypasses"],
      ...["slots", "slots_running", "queue_depth", "max_queue_depth"],
    ],
    ...series.map(({ latency_ms, queue_ms, ttft_ms, cache, nodes, ...point }): Cell[] => {
      const sum = (read: (node: (typeof nodes)[number]) => number): number | null =>
        nodes.length === 0 ? null : nodes.reduce((total, node) => total + read(node), 0);
      return [
        ...[point.at, point.requests, point.errors, point.server_errors, point.cancelled, point.answers],
        ...[latency_ms.p50, latency_ms.p95, latency_ms.p99],
        ...[queue_ms.p50, queue_ms.p95, ttft_ms.p50, ttft_ms.p95, ttft_ms.p99],
        ...[point.prompt_tokens, point.completion_tokens],
        ...[cache.hits.memory + cache.hits.redis + cache.hits.in_flight, cache.misses, cache.bypasses],
        ...[sum((node) => node.slots), sum((node) => node.running)],
        ...[sum((node) => node.queue_depth), sum((node) => node.max_queue_depth)],
      ];
    }),
  ],
  routes: ({ routes }) => [
    [
      ...["method", "route", "requests", "errors", "server_errors", "errors_by_code", "cancelled"],
      ...["latency_p50_ms", "latency_p95_ms", "latency_p99_ms"],
    ],
    ...routes.map(({ latency_ms: { p50, p95, p99 }, ...route }): Cell[] => {
      const codes = Object.entries(route.errors_by_code).map(([code, count]) => `${code} ${count}`);
      return [
        ...[route.method, route.route, route.requests, route.errors, route.server_errors],
        ...[codes.join(", "), route.cancelled],
        ...[p50, p95, p99],
      ];
    }),
  ],
  nodes: ({ series }) => [
    ["at", "node", "up", "slots", "slots_running", "queue_depth", "max_queue_depth", "memory_bytes"],
    ...series.flatMap(({ at, nodes }) =>
      nodes.map(({ node, up, slots, running, queue_depth, max_queue_depth, memory_bytes }): Cell[] => [
        ...[at, node, up, slots, running, queue_depth, max_queue_depth, memory_bytes],
      ]),
    ),
  ],
  evaluations: ({ evaluations }) => [
    [
      ...[
        "at",
        "dataset",
        "revision",
        "run_id",
        "run",
        "metric",
        "criterion_hash",
        "evaluator",
        "shadow",
        "n",
        "errors",
      ],
      ...["pass_rate", "pass_rate_low", "pass_rate_high", "pass_rate_method"],
      ...["mean", "mean_low", "mean_high", "mean_method"],
    ],
    ...evaluations.flatMap(({ dataset, metric, criterion_hash, evaluator, shadow, points }) =>
      points.map(({ at, revision, run_id, run_name, n, errors, pass_rate, mean, interval }): Cell[] => [
        ...[at, dataset.name, revision, run_id, run_name, metric, criterion_hash, evaluator, String(shadow), n, errors],
        pass_rate?.value ?? null,
        ...intervalCells(pass_rate?.interval ?? null),
        mean,
        ...intervalCells(interval),
      ]),
    ),
  ],
  cost: ({ cost }) => [
    ["kind", "id", "name", "seconds", "amount", "currency", "requests", "prompt_tokens", "completion_tokens"],
    ...cost.keys.map(({ key_id, name, seconds, amount, requests, prompt_tokens, completion_tokens }): Cell[] => [
      ...["key", key_id, name, seconds, amount, cost.currency, requests, prompt_tokens, completion_tokens],
    ]),
    ["idle", null, null, cost.idle_seconds, cost.idle_amount, cost.currency, null, null, null],
    ["total", null, null, cost.seconds, cost.amount, cost.currency, null, null, null],
    ...cost.runs.map(({ run_id, name, seconds, amount }): Cell[] => [
      ...["run, included in its key", run_id, name, seconds, amount, cost.currency, null, null, null],
    ]),
  ],
};

const intervalCells = (interval: Kpis["evaluations"][number]["points"][number]["interval"]): Cell[] =>
  interval ? [interval.low, interval.high, interval.method] : [null, null, null];
