import { Elysia } from "elysia";
import { ErrorEnvelope } from "../contract";
import { auth } from "../http/auth";
import { allows, downloads, probe } from "../http/route-facts";
import { Kpis, MetricsQuery } from "./contract";
import type { Metrics } from "./service";

export const metricsRoutes = ({ metrics }: { metrics: Metrics }) =>
  new Elysia({ name: "metrics.routes", tags: ["Metrics"] })
    .use(auth)
    .get("/v1/metrics", ({ query }) => metrics.kpis(query), {
      query: MetricsQuery,
      response: { 200: Kpis, default: ErrorEnvelope },
      detail: { ...allows("viewer"), summary: "Requests, errors, latency, tokens, cache and slots over a window" },
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
