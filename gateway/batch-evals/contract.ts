import { Type } from "@sinclair/typebox";
import { Count, Id, Nullable, OneOf, PageQuery, Share, Strict, Timestamp } from "../contract";
import { FailureKind, Progress, RecomputeEval, Rubric, Run, SampleResult, Target } from "../evals/contract";
import { GateRule, Statistic } from "../evals/statistics-contract";

const { evaluators } = RecomputeEval.properties;

const plan = {
  dataset: Type.String({ minLength: 1, maxLength: 100, description: "Id or name" }),
  revision: Type.Optional(Type.Integer({ minimum: 1, description: "Default: the newest" })),
  samples: Type.Optional(
    Strict({
      tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 50 })),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 10_000_000,
          description: "A random subset of this size, chosen by the seed",
        }),
      ),
    }),
  ),
  target: Target,
  evaluators: Type.Optional(evaluators),
  shadow_evaluators: Type.Optional(evaluators),
  rubric: Type.Optional(Rubric),
  repeats: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 1 })),
  seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295, default: 0 })),
};

const example = {
  dataset: "capitals",
  target: { kind: "chat", model: "smollm2-135m-instruct", max_tokens: 64 },
  evaluators: ["reference@1"],
  seed: 7,
};

/** `POST /v1/batch-evals/plan`. */
export const PlanBatchEval = Strict(plan, { title: "PlanBatchEval", examples: [example] });

/** The cost of a run, and the smallest change it can detect. Planning starts nothing. */
export const BatchEvalPlan = Type.Object(
  {
    samples: Count(),
    generations: Count("Exact number of calls that generate outputs"),
    judge_calls: Count("Exact number of calls for judges"),
    estimated_tokens: Count(),
    estimated_seconds: Nullable(Type.Number({ minimum: 0 }), {
      description: "null: this model has not been measured yet",
    }),
    estimated_gpu_seconds: Nullable(Type.Number({ minimum: 0 })),
    detectable_difference: Type.Number({
      description:
        "Smallest change of a pass rate against the baseline that this run can detect (power 0.8, level 0.05)",
    }),
    warnings: Type.Array(Type.String()),
  },
  { title: "BatchEvalPlan" },
);

/** `POST /v1/batch-evals`. */
export const StartBatchEval = Strict(
  {
    ...plan,
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 20, uniqueItems: true })),
    max_concurrency: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1024,
        description: "Maximum parallel requests; the nodes' backpressure may reduce it",
      }),
    ),
    max_error_share: Type.Optional(
      Share("The run fails if a larger proportion of its results are errors, checked from the 20th result on"),
    ),
  },
  { title: "StartBatchEval", examples: [{ ...example, name: "capitals, 64 tokens" }] },
);

/** `POST /v1/batch-evals/{id}/resume`: continues a paused, cancelled or failed run. */
export const ResumeBatchEval = Strict(
  {
    retry_errors: Type.Optional(
      Type.Boolean({ default: false, description: "Retry results that are errors; other results are kept" }),
    ),
  },
  { title: "ResumeBatchEval", examples: [{ retry_errors: true }] },
);

/** `POST /v1/batch-evals/{id}/recompute`: scores the stored outputs again and keeps the earlier scores. */
export const RecomputeBatchEval = Strict(
  { ...RecomputeEval.properties, shadow: Type.Optional(Type.Boolean({ default: false })) },
  { title: "RecomputeBatchEval", examples: [{ evaluators: ["reference@2"], shadow: true }] },
);

/** `POST /v1/batch-evals/{id}/gate`. */
export const GateRequest = Strict(
  { rules: Type.Array(GateRule, { minItems: 1, maxItems: 20 }) },
  { title: "GateRequest" },
);

/** `GET /v1/batch-evals/{id}/samples`. */
export const ResultQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(SampleResult.properties.state),
  passed: Type.Optional(OneOf(["true", "false"])),
  failure: Type.Optional(FailureKind),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Part of the input or output" })),
  sort: Type.Optional(OneOf(["dataset", "worst_first", "slowest_first"], { default: "dataset" })),
});

export const ExportQuery = Type.Object({
  format: Type.Optional(
    OneOf(["jsonl", "csv", "parquet", "html", "junit", "bundle"], {
      default: "jsonl",
      description: "bundle: manifest, hashes, outputs and statistics as one tar.gz that `verify` recomputes",
    }),
  ),
});

/** Events of `GET /v1/batch-evals/{id}/events`. Each has an id, and `Last-Event-ID` resumes after it. */
export const BatchEvalEvent = Type.Union(
  [
    Type.Object({ type: Type.Literal("state"), run: Run }, { title: "BatchEvalStateEvent" }),
    Type.Object(
      {
        type: Type.Literal("progress"),
        at: Timestamp,
        progress: Progress,
        statistics: Type.Array(Statistic),
        failures: Type.Record(Type.String(), Count()),
      },
      { title: "BatchEvalProgressEvent" },
    ),
    Type.Object(
      {
        type: Type.Literal("sample"),
        result_id: Id("res"),
        sample_key: Type.String(),
        passed: Nullable(Type.Boolean()),
        failure: Nullable(FailureKind),
      },
      { title: "BatchEvalSampleEvent" },
    ),
    Type.Object({ type: Type.Literal("done"), run: Run }, { title: "BatchEvalDoneEvent" }),
  ],
  { title: "BatchEvalEvent" },
);
