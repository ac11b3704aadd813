import { Elysia } from "elysia";
import { ErrorEnvelope } from "../contract";
import { auth } from "../http/auth";
import { download } from "../http/download";
import { allows, downloads, probe } from "../http/route-facts";
import { Kpis, MetricsExportQuery, MetricsQuery } from "./contract";
import type { Metrics } from "./service";
import { metricsFile } from "./snapshot";

export const metricsRoutes = ({ metrics }: { metrics: Metrics }) =>
  new Elysia({ name: "metrics.routes", tags: ["Metrics"] })
    .use(auth)
    .get("/v1/metrics", ({ query }) => metrics.kpis(query), {
      query: MetricsQuery,
      response: { 200: Kpis, default: ErrorEnvelope },
      detail: {
        ...allows("viewer"),
        summary: "Traffic, latency, tokens, cache, nodes, evaluations and costs over a window",
      },
    })
    .get("/v1/metrics/export", async ({ query }) => download(metricsFile(await metrics.kpis(query), query)), {
      query: MetricsExportQuery,
      response: { 200: Kpis, default: ErrorEnvelope },
      detail: {
        ...allows("viewer"),
        summary: "Download the metrics of a window as JSON, or one table as CSV",
        ...downloads("text/csv"),
      },
    })
    .get(
      "/metrics",
      async () =>
        new Response(await metrics.registry.metrics(), { headers: { "content-type": metrics.registry.contentType } }),
      {
        detail: {
          ...allows("metrics"),
          ...probe,
          operationId: "getPrometheusMetrics",
          summary: "All metrics in Prometheus text format",
          ...downloads("text/plain"),
        },
      },
    );
