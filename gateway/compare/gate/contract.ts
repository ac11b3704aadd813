import { type Static, Type } from "@sinclair/typebox";
import { Count, Id, Nullable, OneOf, Strict } from "../../contract";
import { Interval } from "../../evals/statistics-contract";

/** One rule of a gate: a figure of the run and exactly one bound. */
export const GateRule = Strict(
  {
    of: OneOf(["pass_rate", "mean", "errors", "latency_p50", "latency_p95", "ttft_p50", "ttft_p95"], {
      description:
        "errors: share of the run's results that are errors or missing. Latencies are in milliseconds. mean needs a `metric`",
    }),
    metric: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: "A criterion, for pass_rate and mean. Default: `verdict`, whether a result passed",
      }),
    ),
    evaluator: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 80,
        description: "`name@version`. Required if several evaluators scored the metric",
      }),
    ),
    at_least: Type.Optional(Type.Number()),
    at_most: Type.Optional(Type.Number()),
    max_regression: Type.Optional(
      Type.Number({
        minimum: 0,
        description:
          "Passes if pass_rate or mean is worse than the baseline's by at most this much, on the same samples",
      }),
    ),
  },
  { title: "GateRule", examples: [{ of: "pass_rate", at_least: 0.8 }] },
);
export type GateRule = Static<typeof GateRule>;

/** `POST /v1/batch-evals/{id}/gate`. */
export const GateRequest = Strict(
  {
    rules: Type.Array(GateRule, { minItems: 1, maxItems: 20 }),
    baseline: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: "The run that rules with `max_regression` compare with. Default: the dataset's baseline run",
      }),
    ),
  },
  {
    title: "GateRequest",
    examples: [
      {
        rules: [
          { of: "pass_rate", at_least: 0.8 },
          { of: "errors", at_most: 0.01 },
        ],
      },
    ],
  },
);
export type GateRequest = Static<typeof GateRequest>;

const Outcome = OneOf(["pass", "fail", "not_enough_data"]);

export const RuleVerdict = Type.Object(
  {
    rule: GateRule,
    text: Type.String({ examples: ["pass_rate >= 80%"] }),
    verdict: Outcome,
    reason: Type.String({ description: "One sentence" }),
    value: Nullable(Type.Number(), { description: "With `max_regression`, the difference from the baseline" }),
    interval: Nullable(Interval),
    n: Count("Samples with a value; for errors and latencies: results"),
    unresolved: Count(
      "Samples that are errors or missing, in at least one repeat. A rule passes only if it would pass with the worst value for each of them",
    ),
    samples_needed: Nullable(Count("Estimated number of additional samples that would decide the rule"), {
      description: "null: the rule is decided, or more samples would not help",
    }),
  },
  { title: "RuleVerdict" },
);
export type RuleVerdict = Static<typeof RuleVerdict>;

export const GateVerdict = Type.Object(
  {
    run_id: Id("run"),
    baseline_run_id: Nullable(Id("run"), { description: "null: no rule compares with a baseline" }),
    verdict: Outcome,
    reason: Type.String({ description: "One sentence" }),
    rules: Type.Array(RuleVerdict),
  },
  { title: "GateVerdict" },
);
export type GateVerdict = Static<typeof GateVerdict>;
