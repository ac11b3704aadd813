import { type Static, Type } from "@sinclair/typebox";
import { Component, Count, Milliseconds, Nullable, OneOf, Timestamp } from "../contract";

/** The current state of a limit. `used + remaining` is the limit, unless a lowered limit is still exceeded. */
export const LimitState = Component("LimitState", {
  name: OneOf(["requests_per_minute", "parallel_requests"]),
  unit: OneOf(["requests"]),
  scope: OneOf(["key"], { description: "What the limit applies to" }),
  limit: Count(),
  used: Count(),
  remaining: Count(),
  window: OneOf(["fixed", "rolling", "none"], {
    description: "fixed: resets at set times; rolling: the last `window_seconds`; none: counts active requests",
  }),
  window_seconds: Nullable(Type.Integer({ minimum: 1 })),
  mode: OneOf(["enforce", "observe"], { description: "observe: counted and reported, but never rejected" }),
  would_refuse: Type.Boolean({ description: "Whether this limit would reject a request sent now" }),
  frees_at: Nullable(Timestamp, {
    description: "When the next request is accepted; null: now, or when an active request finishes",
  }),
});

/** `GET /v1/limits/explain`. Does not count against the limits. */
export const LimitsExplanation = Component("LimitsExplanation", {
  key_id: Type.String(),
  would_refuse: Type.Boolean({ description: "Whether a request sent now would be rejected" }),
  retry_after_ms: Nullable(Milliseconds("Until a request is accepted; null: now")),
  limits: Type.Array(LimitState),
});
export type LimitsExplanation = Static<typeof LimitsExplanation>;
