import { type Static, Type } from "@sinclair/typebox";
import { OneOf, Strict } from "./contract";

export const UNITS = ["requests", "tokens", "money", "gpu_seconds"] as const;
/** money: in the configured currency. gpu_seconds: the time of the whole machine, as on the cost page. */
export type Unit = (typeof UNITS)[number];

export const perMinute = Type.Integer({ minimum: 1, maximum: 10_000_000 });
export const tokensPerMinute = Type.Integer({ minimum: 1, maximum: 1_000_000_000 });
export const parallel = Type.Integer({ minimum: 1, maximum: 100_000 });

const observeOnly = Type.Optional(
  Type.Boolean({
    default: false,
    description: "Count and report without refusing requests, to try a limit before enforcing it",
  }),
);

export const Budget = Strict(
  {
    unit: OneOf(UNITS, {
      description:
        "money: in GROUNDWIRE_CURRENCY, from GPU-seconds and GROUNDWIRE_GPU_PRICE_PER_HOUR; gpu_seconds: time of the whole machine, so one of 8 slots for 4 s is 0.5",
    }),
    amount: Type.Number({
      exclusiveMinimum: 0,
      maximum: 1_000_000_000,
      description: "A whole number of requests or tokens; money and gpu_seconds may have decimals",
    }),
    window: OneOf(["hour", "day", "month", "total"], { description: "total: for the key's lifetime" }),
    alignment: Type.Optional(
      OneOf(["calendar", "rolling"], {
        default: "calendar",
        description:
          "calendar: resets when a UTC hour, day or month begins; rolling: the last 60 minutes, 24 hours or 30 days",
      }),
    ),
    observe_only: observeOnly,
  },
  { title: "Budget", examples: [{ unit: "tokens", amount: 2_000_000, window: "day", alignment: "calendar" }] },
);
export type Budget = Static<typeof Budget>;

export const Budgets = Type.Array(Budget, { maxItems: 20 });

/** Limits of one key for one model, in addition to the limits of the key. */
export const ModelLimits = Strict(
  {
    model: Type.String({ minLength: 1, maxLength: 200 }),
    requests_per_minute: Type.Optional(perMinute),
    tokens_per_minute: Type.Optional(tokensPerMinute),
    parallel_requests: Type.Optional(parallel),
    budgets: Type.Optional(Budgets),
    observe_only: observeOnly,
  },
  { title: "ModelLimits", examples: [{ model: "smollm2-135m-instruct", tokens_per_minute: 20_000 }] },
);
export type ModelLimits = Static<typeof ModelLimits>;

/** What happens to a key's requests while the Redis with the shared counters is unreachable. */
export const StoreLoss = OneOf(["refuse", "local"], {
  description:
    "If Redis is unreachable: refuse every request with 503, or enforce each gateway's share of the key's limits",
});
export type StoreLoss = Static<typeof StoreLoss>;
