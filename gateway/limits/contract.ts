import { type Static, Type } from "@sinclair/typebox";
import { Component, Count, Milliseconds, Nullable, OneOf, Timestamp } from "../contract";
import { UNITS } from "../limits-contract";

const PERIODS = ["hour", "day", "month"] as const;

/** `tokens_per_day`, `money_total` … */
const BUDGET_NAMES = UNITS.flatMap((unit) => [...PERIODS.map((period) => `${unit}_per_${period}`), `${unit}_total`]);

const amount = (description: string) => Type.Number({ minimum: 0, description });

/** The current state of a limit. `used + remaining` is the limit, unless a lowered or observed limit is exceeded. */
const LimitState = Component("LimitState", {
  name: OneOf(["requests_per_minute", "parallel_requests", "tokens_per_minute", ...BUDGET_NAMES]),
  unit: OneOf(UNITS),
  scope: OneOf(["key", "model"], { description: "model: counts only the key's use of `model`" }),
  model: Nullable(Type.String()),
  limit: amount("In units: requests, tokens, the configured currency, or seconds"),
  used: amount("Including the reservations of running requests"),
  remaining: amount("Amount that can still be reserved"),
  window: OneOf(["calendar", "rolling", "none"], {
    description:
      "calendar: resets when a UTC hour, day or month begins; rolling: the last `window_seconds`; none: active requests, or a total",
  }),
  window_seconds: Nullable(Type.Integer({ minimum: 1 }), { description: "For a calendar month: 30 days" }),
  mode: OneOf(["enforce", "observe"], { description: "observe: counted and reported, but never rejected" }),
  would_refuse: Type.Boolean({ description: "Whether the limit has no room left" }),
  frees_at: Nullable(Timestamp, {
    description: "When there is room again; null: now, when an active request finishes, or never",
  }),
  resets_at: Nullable(Timestamp, { description: "When the full limit is available again, if nothing else is used" }),
});

/** Who used the limits. */
const LimitConsumer = Component("LimitConsumer", {
  route: Type.String({ description: "The route's pattern" }),
  model: Nullable(Type.String(), { description: "null: requests to the route" }),
  run_id: Nullable(Type.String(), { description: "The evaluation run that a jobs worker sent the requests for" }),
  requests: Count("Requests to the route, or uses of the model"),
  tokens: Count(),
  gpu_seconds: Type.Number({ minimum: 0 }),
  since: Timestamp,
  last_used_at: Timestamp,
});

/** `GET /v1/limits/explain`. Does not count against the limits. */
export const LimitsExplanation = Component("LimitsExplanation", {
  key_id: Type.String(),
  would_refuse: Type.Boolean({ description: "Whether a request sent now would be rejected, whatever its model" }),
  retry_after_ms: Nullable(Milliseconds("Until a request is accepted; null: now, or never")),
  currency: Type.String({ description: "Currency of money limits", examples: ["USD"] }),
  store: OneOf(["ok", "local"], {
    description: "local: Redis is unreachable, so this gateway enforces its share of the limits",
  }),
  on_store_loss: OneOf(["refuse", "local"]),
  limits: Type.Array(LimitState),
  consumers: Type.Array(LimitConsumer, {
    description: "What used this key's limits in this gateway within the last hour: latest first, at most 20",
  }),
});
export type LimitsExplanation = Static<typeof LimitsExplanation>;
