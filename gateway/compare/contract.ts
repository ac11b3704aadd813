import { type Static, Type } from "@sinclair/typebox";
import { Count, Id, Nullable, OneOf, Page, PageQuery, wholePage } from "../contract";
import { Interval } from "../evals/statistics-contract";

/** `GET /v1/compare`: `a` is the baseline, `b` the candidate. */
export const CompareQuery = Type.Object({
  a: Type.String({ minLength: 1, maxLength: 100, description: "Id of the baseline run" }),
  b: Type.String({ minLength: 1, maxLength: 100, description: "Id of the candidate run" }),
  metric: Type.Optional(
    Type.String({ minLength: 1, maxLength: 64, description: "Default: every criterion that both runs have" }),
  ),
  changed: Type.Optional(
    OneOf(["any", "better", "worse"], { default: "any", description: "Which samples `changes` lists" }),
  ),
  ...PageQuery.properties,
});
export type CompareQuery = Static<typeof CompareQuery>;

/** One criterion, compared on the samples that both runs have. */
const MetricComparison = Type.Object(
  {
    metric: Type.String(),
    evaluator: Type.String(),
    n: Count("Pairs"),
    a: Type.Number(),
    b: Type.Number(),
    difference: Type.Number({ description: "b minus a" }),
    interval: Nullable(Interval),
    test: OneOf(["mcnemar_exact", "paired_t", "paired_bootstrap", "paired_cluster_bootstrap"]),
    p: Type.Number({ minimum: 0, maximum: 1 }),
    p_adjusted: Type.Number({ minimum: 0, maximum: 1, description: "Holm-adjusted for all compared criteria" }),
    better: Count("Samples that b passes and a fails"),
    worse: Count("Samples that a passes and b fails"),
    detectable_difference: Nullable(Type.Number(), {
      description: "Smallest true difference that this many pairs with this spread can detect (power 0.8, level 0.05)",
    }),
    verdict: OneOf(["better", "worse", "not_shown"]),
  },
  { title: "MetricComparison" },
);

/** One sample whose verdict or score changed. Lists are ordered by the size of the change, largest first. */
const SampleChange = Type.Object(
  {
    sample_id: Id("sample"),
    sample_key: Type.String(),
    metric: Type.String(),
    direction: OneOf(["better", "worse"]),
    a: Type.Object({ result_id: Id("res"), value: Nullable(Type.Number()), passed: Nullable(Type.Boolean()) }),
    b: Type.Object({ result_id: Id("res"), value: Nullable(Type.Number()), passed: Nullable(Type.Boolean()) }),
  },
  { title: "SampleChange" },
);

export const Comparison = Type.Object(
  {
    a: Type.Object({ run_id: Id("run"), name: Type.String() }),
    b: Type.Object({ run_id: Id("run"), name: Type.String() }),
    verdict: OneOf(["better", "worse", "mixed", "not_shown"]),
    summary: Type.String({ description: "The result in one sentence" }),
    pairs: Count("Samples with a value in both runs"),
    only_a: Count("Samples missing in b: excluded, and never counted as passed"),
    only_b: Count("Samples missing in a"),
    warnings: Type.Array(
      Type.Object({
        code: OneOf(["dataset_differs", "evaluator_differs", "samples_missing", "errors_present", "run_not_finished"]),
        message: Type.String(),
      }),
    ),
    metrics: Type.Array(MetricComparison),
    changes: Page(SampleChange),
  },
  {
    title: "Comparison",
    examples: [
      {
        a: { run_id: "run_01jd8x1m9k2n3p4q5r6s7t8v9w", name: "baseline" },
        b: { run_id: "run_01jd8x1m9k2n3p4q5r6s7t8v9x", name: "shorter prompt" },
        verdict: "not_shown",
        summary: "No significant difference: correctness 0.81 against 0.84 on 195 samples (p 0.29).",
        pairs: 195,
        only_a: 0,
        only_b: 0,
        warnings: [],
        metrics: [
          {
            metric: "correctness",
            evaluator: "reference@1",
            n: 195,
            a: 0.81,
            b: 0.84,
            difference: 0.03,
            interval: { low: -0.02, high: 0.08, level: 0.95, method: "bca_bootstrap" },
            test: "mcnemar_exact",
            p: 0.29,
            p_adjusted: 0.29,
            better: 14,
            worse: 8,
            detectable_difference: 0.067,
            verdict: "not_shown",
          },
        ],
        changes: wholePage([]),
      },
    ],
  },
);
export type Comparison = Static<typeof Comparison>;
