import { type Static, Type } from "@sinclair/typebox";
import { Component, Milliseconds, Nullable, OneOf, Page, Strict, Timestamp } from "../contract";

/** `GET /healthz`: the process is running. No dependency is checked. */
export const Liveness = Type.Object(
  { status: Type.Literal("ok"), version: Type.String() },
  { title: "Liveness", examples: [{ status: "ok", version: "0.1.0" }] },
);
export type Liveness = Static<typeof Liveness>;

/** Why a dependency doesn't work normally. The first six are states of a GPU node. */
const ReasonCode = OneOf(
  [
    ...["loading", "busy", "stuck", "draining", "ejected", "down"],
    ...["unreachable", "not_responding", "not_writable", "disk_full", "no_worker"],
  ] as const,
  {
    description:
      "loading: its model is being loaded; busy: its slots and queue are full; stuck: requests run, but no tokens arrive; draining: accepts no new requests; ejected: failed several times in a row; down: unreachable, or its engine failed",
  },
);
export type ReasonCode = Static<typeof ReasonCode>;

/** A dependency of the gateway. Public, so it contains no address, path or secret. */
export const Dependency = Component("Dependency", {
  name: Type.String({ description: "`engine:<node id>`, `database`, `cache:<layer>`, `jobs` or `vectors`" }),
  status: OneOf(["ok", "degraded", "down", "not_configured"], {
    description: "not_configured: not used, so it doesn't affect the overall status",
  }),
  required: Type.Boolean({ description: "true: the gateway can't serve requests without it" }),
  since: Timestamp,
  latency_ms: Nullable(Milliseconds("Last probe")),
  reason: Nullable(Type.String(), { description: "Why it isn't ok, as text" }),
  reason_code: Nullable(ReasonCode, { description: "Why it isn't ok, machine-readable" }),
});
export type Dependency = Static<typeof Dependency>;

/** A code never changes its meaning. */
export const DEGRADATION_CODES = [
  "cache_local",
  "fewer_nodes",
  "cached_only",
  "no_jobs",
  "keyword_only",
  "limits_local",
  "cache_off",
  "fewer_tokens",
  "fallback_model",
  "no_evals",
] as const;

export const DegradationCode = OneOf(DEGRADATION_CODES, {
  title: "DegradationCode",
  description:
    "cache_local: Redis is unreachable, so answers are cached only in this gateway; fewer_nodes: some nodes are unavailable; cached_only: no node accepts requests, only cached answers are served; no_jobs: no jobs worker is running, so uploads wait; keyword_only: the vector store is down, so searches use only keywords; cache_off: the answer cache is not used; limits_local: Redis is unreachable, so each gateway enforces its share of the limits; fewer_tokens: answers are cut short because of high load; fallback_model: another model answers instead of the requested one; no_evals: nothing is evaluated",
});

export type DegradationCode = Static<typeof DegradationCode>;

/** A current degradation. The `x-degraded` header, the metrics and the system page's banner use the same codes. */
export const Degradation = Component("Degradation", {
  code: DegradationCode,
  since: Timestamp,
  reason: Type.String(),
  causes: Type.Array(ReasonCode, { description: "Machine-readable; empty if the code says it all" }),
  drill: Type.Boolean({ description: "Whether an admin is simulating it as a drill" }),
});
export type Degradation = Static<typeof Degradation>;

/** A degraded mode, whether or not it is active now. */
export const DegradedMode = Component("DegradedMode", {
  code: DegradationCode,
  effect: Type.String({ description: "What is reduced" }),
  active: Type.Boolean(),
  since: Nullable(Timestamp, { description: "null unless active" }),
  reason: Nullable(Type.String(), { description: "null unless active" }),
  causes: Type.Array(ReasonCode),
  drill: Type.Boolean({ description: "Whether a drill is running. The mode can have a real cause at the same time" }),
  drill_ends_at: Nullable(Timestamp, { description: "null unless a drill is running" }),
  drill_note: Nullable(Type.String(), {
    description:
      "Why a drill of this mode would be reported but change nothing on this gateway; null if it has its full effect",
  }),
});
export type DegradedMode = Static<typeof DegradedMode>;

export const DegradedModePage = Page(DegradedMode);

const MAX_DRILL_MINUTES = 240;
export const DEFAULT_DRILL_MINUTES = 10;

/** `POST /v1/degraded/{code}/drill`. */
export const StartDrill = Strict(
  {
    minutes: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_DRILL_MINUTES,
        default: DEFAULT_DRILL_MINUTES,
        description: "After this time, the drill ends automatically",
      }),
    ),
  },
  { title: "StartDrill", examples: [{ minutes: 10 }] },
);
export type StartDrill = Static<typeof StartDrill>;

/** The code in `/v1/degraded/{code}`. */
export const DegradedParams = Type.Object({ code: DegradationCode });

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
            reason_code: null,
          },
          {
            name: "cache",
            status: "degraded",
            required: false,
            since: "2026-11-23T20:40:00.000Z",
            latency_ms: null,
            reason: "Redis is unreachable",
            reason_code: "unreachable",
          },
        ],
        degraded: [
          {
            code: "cache_local",
            since: "2026-11-23T20:40:00.000Z",
            reason: "Redis is unreachable: answers are cached only in this gateway",
            causes: [],
            drill: false,
          },
        ],
      },
    ],
  },
);
export type Readiness = Static<typeof Readiness>;
