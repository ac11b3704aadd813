import { type Static, Type } from "@sinclair/typebox";
import { Count, Nullable, OneOf, Share } from "../contract";

/** An interval, and the method it was computed with. */
export const Interval = Type.Object(
  {
    low: Type.Number(),
    high: Type.Number(),
    level: Share("0.95"),
    method: OneOf([
      "wilson",
      "student_t",
      "bca_bootstrap",
      "cluster_robust",
      "cluster_bootstrap",
      "asymptotic",
      "order_statistics",
    ]),
  },
  { title: "Interval" },
);
export type Interval = Static<typeof Interval>;

/** A rate or mean, with its uncertainty. */
export const Rate = Type.Object(
  {
    value: Type.Number(),
    interval: Nullable(Interval, {
      description:
        "null if the data doesn't allow one, for example while results are missing or if all samples share one group",
    }),
  },
  { title: "Rate" },
);
export type Rate = Static<typeof Rate>;

/** How well an evaluator agrees with people on the labelled results. */
export const Agreement = Type.Object(
  {
    labels: Count(),
    kappa: Nullable(Rate, { description: "null: evaluator and people gave every result the same verdict" }),
    sensitivity: Nullable(Rate, { description: "null: people passed no result" }),
    specificity: Nullable(Rate, { description: "null: people failed no result" }),
    corrected_pass_rate: Nullable(Rate, {
      description: "Rogan-Gladen estimate of the true pass rate; null: the evaluator does no better than chance",
    }),
  },
  { title: "Agreement" },
);
export type Agreement = Static<typeof Agreement>;

/** One criterion across a run. Repeats of a sample are averaged first, so `n` counts samples. */
export const Statistic = Type.Object(
  {
    metric: Type.String(),
    direction: OneOf(["higher_is_better", "lower_is_better"]),
    criterion_hash: Type.String({ description: "sha256 of the whole criterion, as in the scores" }),
    evaluator: Type.String({ description: "`name@version`" }),
    shadow: Type.Boolean({
      description: "Excluded from the verdict: a shadow's scores, or scores that newer ones replaced",
    }),
    n: Count("Samples with a value"),
    errors: Count("Samples without a value"),
    mean: Nullable(Type.Number()),
    interval: Nullable(Interval, { description: "null while results are missing" }),
    pass_rate: Nullable(Rate),
    clusters: Nullable(Count("Groups that the interval takes into account"), {
      description: "null: samples are independent",
    }),
    bounds: Nullable(Type.Object({ worst: Type.Number(), best: Type.Number() }), {
      description: "Pass rate with every error counted as failed, and with every error counted as passed",
    }),
    pass_at_k: Type.Array(
      Type.Object({
        k: Type.Integer({ minimum: 1 }),
        n: Count("Samples with at least k repeats"),
        any: Share("At least one of k passes"),
        all: Share("All k pass"),
      }),
      { description: "Only with repeats" },
    ),
    detectable_difference: Nullable(Type.Number(), {
      description:
        "Smallest difference from a fixed pass rate that this many samples can detect (power 0.8, level 0.05)",
    }),
    agreement: Nullable(Agreement, { description: "null: fewer than 30 labels" }),
  },
  { title: "Statistic" },
);
export type Statistic = Static<typeof Statistic>;

/** The verdicts of a run's results. An error is a result without a verdict. */
export const VerdictSummary = Type.Object(
  Type.Pick(Statistic, ["n", "errors", "pass_rate", "clusters", "bounds", "pass_at_k", "detectable_difference"])
    .properties,
  { title: "VerdictSummary" },
);
export type VerdictSummary = Static<typeof VerdictSummary>;

/** Percentiles in milliseconds. */
const Percentiles = Type.Object(
  { p50: Type.Number(), p95: Type.Number(), p99: Type.Number() },
  { title: "LatencyPercentiles" },
);

export const RunLatency = Type.Object(
  {
    n: Count("Outputs that a model generated for this run; stored and cached outputs are left out"),
    queue: Percentiles,
    ttft: Percentiles,
    total: Percentiles,
  },
  { title: "RunLatency" },
);
export type RunLatency = Static<typeof RunLatency>;

/** The results whose samples have the same tag, or belong to the same group. */
export const Segment = Type.Object(
  {
    kind: OneOf(["tag", "group"]),
    name: Type.String(),
    results: Count(),
    errors: Count(),
    n: Count("Samples with a verdict"),
    pass_rate: Nullable(Rate),
    mean: Nullable(Share("Mean of the results' overall scores")),
  },
  { title: "Segment" },
);
export type Segment = Static<typeof Segment>;
