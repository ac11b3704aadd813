import { type Static, Type } from "@sinclair/typebox";
import { Component, Milliseconds, Nullable, OneOf, Timestamp } from "../contract";

/** `GET /healthz`: the process is running. No dependency is checked. */
export const Liveness = Type.Object(
  { status: Type.Literal("ok"), version: Type.String() },
  { title: "Liveness", examples: [{ status: "ok", version: "0.1.0" }] },
);
export type Liveness = Static<typeof Liveness>;

/** A dependency of the gateway. Public, so it contains no address, path or secret. */
export const Dependency = Component("Dependency", {
  name: Type.String({ description: "`engine:<node id>`, `database`, `cache:<layer>`, `jobs` or `vectors`" }),
  status: OneOf(["ok", "degraded", "down", "not_configured"], {
    description: "not_configured: not used, so it doesn't affect the overall status",
  }),
  required: Type.Boolean({ description: "true: the gateway can't serve requests without it" }),
  since: Timestamp,
  latency_ms: Nullable(Milliseconds("Last probe")),
  reason: Nullable(Type.String(), { description: "Why it isn't ok: loading, stuck, unreachable, full …" }),
});
export type Dependency = Static<typeof Dependency>;

/** A code never changes its meaning. The last five are for features of later versions. */
export const DEGRADATION_CODES = [
  "cache_local",
  "fewer_nodes",
  "cached_only",
  "no_jobs",
  "keyword_only",
  "cache_off",
  "limits_local",
  "fewer_tokens",
  "fallback_model",
  "no_evals",
] as const;

/** A current degradation. The `x-degraded` header, the metrics and the system page's banner use the same codes. */
export const Degradation = Component("Degradation", {
  code: OneOf(DEGRADATION_CODES, {
    description:
      "cache_local: Redis is unreachable, so answers are cached only in this gateway; fewer_nodes: some nodes are unavailable; cached_only: no node accepts requests, only cached answers are served; no_jobs: no jobs worker is running, so uploads wait; keyword_only: the vector store is down, so searches use only keywords",
  }),
  since: Timestamp,
  reason: Type.String(),
  drill: Type.Boolean({ description: "Whether an admin is simulating it as a drill" }),
});
export type Degradation = Static<typeof Degradation>;

/** `GET /readyz`: 200 while requests can be served, even if degraded; otherwise 503. */
export const Readiness = Type.Object(
  {
    status: OneOf(["ok", "degraded", "down", "draining"]),
    version: Type.String(),
    started_at: Timestamp,
    dependencies: Type.Array(Dependency),
    degraded: Type.Array(Degradation),
  },
  {
    title: "Readiness",
    examples: [
      {
        status: "degraded",
        version: "0.1.0",
        started_at: "2026-11-23T20:15:00.000Z",
        dependencies: [
          {
            name: "engine:node-1",
            status: "ok",
            required: true,
            since: "2026-11-23T20:15:02.000Z",
            latency_ms: 0.4,
            reason: null,
          },
          {
            name: "cache",
            status: "degraded",
            required: false,
            since: "2026-11-23T20:40:00.000Z",
            latency_ms: null,
            reason: "Redis is unreachable",
          },
        ],
        degraded: [
          {
            code: "cache_local",
            since: "2026-11-23T20:40:00.000Z",
            reason: "Redis is unreachable: answers are cached only in this gateway",
            drill: false,
          },
        ],
      },
    ],
  },
);
export type Readiness = Static<typeof Readiness>;
