import { type Static, Type } from "@sinclair/typebox";
import { Count, Id, Nullable, NumberInUrl, OneOf, Page, PageQuery, wholePage } from "../contract";
import { FailureKind, RunInfo, SampleResult } from "../evals/contract";
import { Interval, Rate, RunLatency, Statistic } from "../evals/statistics-contract";

/** The metric of whole results: whether they passed. All other metrics are criteria. */
export const VERDICT = "verdict";
/** Maximum number of runs in one comparison. */
export const MAX_RUNS = 5;

/** `GET /v1/compare`. */
export const CompareQuery = Type.Object({
  runs: Type.String({
    minLength: 1,
    maxLength: 520,
    description:
      "Ids of two to five batch runs of one dataset, separated by commas. The first is the baseline. A single id is compared with its dataset's baseline run",
    examples: ["run_01jd8x1m9k2n3p4q5r6s7t8v9w,run_01jd8x1m9k2n3p4q5r6s7t8v9x"],
  }),
  metric: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description:
        "The metric that `samples` is filtered and sorted by: `verdict` (whether a result passed), or a criterion. Default: `verdict`, or if the verdicts of no run can be compared, the first criterion that can",
    }),
  ),
  evaluator: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 80,
      description: "The evaluator of `metric`, as `name@version`. Default: the first that scored it in all runs",
    }),
  ),
  show: Type.Optional(
    OneOf(["changed", "worse", "better", "failed", "errors", "missing", "all"], {
      default: "changed",
      description:
        "Which samples to list. changed, worse, better: compared with the baseline, in at least one other run. failed: did not pass in at least one other run. errors: no value in at least one run. missing: not in every run",
    }),
  ),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Part of the input or an output" })),
  pattern: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description:
        "A regular expression (RE2 syntax) that must match part of the input or of an output. It can search at most 10,000 answers: narrow a longer list with `tag` or `search`",
    }),
  ),
  slower_than_ms: Type.Optional(
    NumberInUrl({
      minimum: 0,
      description: "Samples whose answers took longer than this on average in at least one run",
    }),
  ),
  ...PageQuery.properties,
});
export type CompareQuery = Static<typeof CompareQuery>;

const Reason = Type.Object(
  {
    code: OneOf([
      "dataset_differs",
      "evaluator_differs",
      "not_scored",
      "no_common_samples",
      "run_not_finished",
      "samples_missing",
      "samples_changed",
      "errors_present",
    ]),
    message: Type.String(),
  },
  { title: "ComparisonReason" },
);
export type Reason = Static<typeof Reason>;

/** Whether the values of two runs are on different scales, or only one run has them. */
export const differsInScale = (reason: Reason | null): boolean =>
  reason?.code === "evaluator_differs" || reason?.code === "not_scored";

const PairedTest = OneOf(["mcnemar_exact", "paired_t", "paired_bootstrap", "paired_cluster_bootstrap"]);

/** One criterion in two runs, on the samples that have a value in both. Repeats of a sample are averaged first. */
export const MetricComparison = Type.Object(
  {
    metric: Type.String({ description: "`verdict` (whether a result passed), or a criterion" }),
    evaluator: Nullable(Type.String(), { description: "`name@version`; null for `verdict`" }),
    of: OneOf(["pass_rate", "mean"]),
    direction: Statistic.properties.direction,
    shadow: Type.Boolean({ description: "Excluded from the results' verdicts" }),
    verdict: OneOf(["better", "worse", "not_shown", "not_comparable"], {
      description:
        "better and worse: `p_adjusted` is below 0.05. not_shown: no difference was shown, but there may be one",
    }),
    reason: Nullable(Reason, {
      description: "Why the verdict is not_comparable, or not_shown despite a significant difference",
    }),
    n: Count("Samples with a value in both runs"),
    errors: Count("Common samples without a value in one of the runs: excluded, and never counted as passed"),
    clusters: Nullable(Count("Groups that the interval and the test take into account"), {
      description: "null: samples are independent",
    }),
    baseline: Nullable(Type.Number(), { description: "The baseline's rate or mean on these samples" }),
    value: Nullable(Type.Number(), { description: "This run's rate or mean on these samples" }),
    difference: Nullable(Type.Number({ description: "value minus baseline" })),
    interval: Nullable(Interval, { description: "Interval of the difference" }),
    test: Nullable(PairedTest),
    p: Nullable(Type.Number({ minimum: 0, maximum: 1 })),
    p_adjusted: Nullable(Type.Number({ minimum: 0, maximum: 1 }), {
      description: "Holm-adjusted for all tests in the response",
    }),
    better: Count("Samples with a better value than in the baseline"),
    worse: Count("Samples with a worse value than in the baseline"),
    bounds: Nullable(Type.Object({ worst: Type.Number(), best: Type.Number() }), {
      description:
        "The difference if every error, including those of single repeats, had the worst or the best value for this run; null: there are no errors",
    }),
    detectable_difference: Nullable(Type.Number(), {
      description:
        "Smallest true difference that this many samples with this spread can detect (power 0.8, level 0.05)",
    }),
  },
  { title: "MetricComparison" },
);
export type MetricComparison = Static<typeof MetricComparison>;

/** A run compared with the baseline. */
export const RunComparison = Type.Object(
  {
    run_id: Id("run"),
    verdict: OneOf(["better", "worse", "mixed", "not_shown", "not_comparable"]),
    summary: Type.String({ description: "The result in one or two sentences" }),
    reason: Nullable(Reason, { description: "Why the runs are not comparable" }),
    warnings: Type.Array(Reason),
    pairs: Count("Samples that both runs have, with the same content"),
    only_in_baseline: Count("Samples that this run doesn't have: excluded, and never counted as passed"),
    only_in_run: Count("Samples that the baseline doesn't have: excluded"),
    changed: Count("Samples with the same key but different content: excluded"),
    metrics: Type.Array(MetricComparison, { description: "`verdict` first, then each criterion and evaluator" }),
  },
  { title: "RunComparison" },
);
export type RunComparison = Static<typeof RunComparison>;

/** A run of the comparison. The first is the baseline. */
const ComparedRun = Type.Object(
  {
    ...Type.Pick(RunInfo, ["name", "state"]).properties,
    run_id: Id("run"),
    model: Nullable(Type.String(), { description: "null: stored outputs" }),
    dataset: Nullable(Type.Object({ id: Id("ds"), name: Type.String(), revision: Type.Integer({ minimum: 1 }) })),
    evaluators: Type.Array(Type.String(), { description: "`name@version` of the evaluators that verdicts depend on" }),
    repeats: Count(),
    samples: Count("Samples with at least one ended result"),
    missing: Count("Samples of the run without an ended result"),
    errors: Count("Samples whose results are all errors"),
    pass_rate: Nullable(Rate, { description: "On all of this run's samples with a verdict" }),
    latency: Nullable(RunLatency, { description: "null: no model was called" }),
    tokens: Nullable(
      Type.Object({
        prompt: Type.Number({ description: "Mean number of prompt tokens per answer" }),
        completion: Type.Number({ description: "Mean number of completion tokens per answer" }),
      }),
      { description: "null: no model was called" },
    ),
    change: Nullable(
      Type.Object({
        ttft_p50: Type.Number(),
        ttft_p95: Type.Number(),
        latency_p50: Type.Number(),
        latency_p95: Type.Number(),
        prompt_tokens: Type.Number(),
        completion_tokens: Type.Number(),
      }),
      {
        description:
          "Difference from the baseline, in milliseconds and tokens; null for the baseline and for stored outputs",
      },
    ),
  },
  { title: "ComparedRun" },
);
export type ComparedRun = Static<typeof ComparedRun>;

/** A sample in one run. */
const SampleInRun = Type.Object(
  {
    run_id: Id("run"),
    state: OneOf(["done", "error", "missing"]),
    result_id: Nullable(Id("res"), { description: "The first repeat" }),
    repeats: Count("Ended results of this sample"),
    errors: Count("Results without an output, or that an evaluator failed to score"),
    pass_rate: Nullable(Type.Number(), { description: "Share of the repeats with a verdict that passed" }),
    value: Nullable(Type.Number(), { description: "The mean value of the chosen metric; null: missing, or an error" }),
    difference: Nullable(Type.Number(), { description: "`value` minus the baseline's; null for the baseline" }),
    output: Nullable(Type.String(), { description: "Text of the first repeat" }),
    failure: Nullable(FailureKind),
  },
  { title: "SampleInRun" },
);

/** One sample side by side. */
export const SampleComparison = Type.Object(
  {
    ...Type.Pick(SampleResult, ["sample_id", "sample_key", "tags", "group", "input", "references"]).properties,
    change: OneOf(["better", "worse", "mixed", "same", "unknown"], {
      description: "How the other runs differ from the baseline. unknown: no run can be compared",
    }),
    runs: Type.Array(SampleInRun, { description: "In the order of the comparison's `runs`" }),
  },
  { title: "SampleComparison" },
);
export type SampleComparison = Static<typeof SampleComparison>;

const counted = { changed: Count(), worse: Count(), better: Count(), failed: Count() };

export const Comparison = Type.Object(
  {
    runs: Type.Array(ComparedRun),
    comparisons: Type.Array(RunComparison, { description: "One for each run after the baseline" }),
    metric: Type.String({ description: "The metric of `samples`" }),
    evaluator: Nullable(Type.String()),
    counts: Type.Object(
      { ...counted, errors: Count(), missing: Count(), all: Count() },
      {
        title: "SampleCounts",
        description: "Number of samples for each value of `show`, with the same tag and search",
      },
    ),
    samples: Page(SampleComparison),
  },
  {
    title: "Comparison",
    examples: [
      {
        runs: [],
        comparisons: [
          {
            run_id: "run_01jd8x1m9k2n3p4q5r6s7t8v9x",
            verdict: "not_shown",
            summary:
              "No difference shown: the pass rate is 84.1 % and was 81.0 % on 195 samples (+3.1 points, 95 % interval −1.5 to +8.2, p 0.29). This comparison can detect differences of 6.7 points.",
            reason: null,
            warnings: [],
            ...{ pairs: 195, only_in_baseline: 0, only_in_run: 0, changed: 0 },
            metrics: [
              {
                metric: VERDICT,
                evaluator: null,
                of: "pass_rate",
                direction: "higher_is_better",
                shadow: false,
                verdict: "not_shown",
                reason: null,
                ...{ n: 195, errors: 0, clusters: null, baseline: 0.81, value: 0.841, difference: 0.031 },
                interval: { low: -0.015, high: 0.082, level: 0.95, method: "bca_bootstrap" },
                ...{ test: "mcnemar_exact", p: 0.29, p_adjusted: 0.29, better: 14, worse: 8, bounds: null },
                detectable_difference: 0.067,
              },
            ],
          },
        ],
        metric: VERDICT,
        evaluator: null,
        counts: { changed: 22, worse: 8, better: 14, failed: 31, errors: 0, missing: 0, all: 195 },
        samples: wholePage([]),
      },
    ],
  },
);
export type Comparison = Static<typeof Comparison>;
