import { type Static, Type } from "@sinclair/typebox";
import { Count, ErrorBody, Id, Nullable, OneOf, PageQuery, Share, Strict, Timestamp } from "../contract";
import {
  EvaluateRequest,
  FailureKind,
  RecomputeEval,
  Run,
  RunFigures,
  RunInfo,
  SampleChoice,
  SampleResult,
  Target,
} from "../evals/contract";

const { evaluators, shadow_evaluators, rubric, seed, name } = EvaluateRequest.properties;

const plan = {
  dataset: Type.String({ minLength: 1, maxLength: 100, description: "Id or name" }),
  revision: Type.Optional(Type.Integer({ minimum: 1, description: "Default: the newest" })),
  samples: Type.Optional(SampleChoice),
  target: Target,
  evaluators,
  shadow_evaluators,
  rubric,
  repeats: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 100,
      default: 1,
      description: "Outputs per sample, with consecutive seeds. With 2 or more, the answer cache is not used",
    }),
  ),
  seed,
};

const example = {
  dataset: "capitals",
  target: { kind: "chat", model: "smollm2-135m-instruct", max_tokens: 64 },
  evaluators: ["reference@1"],
  seed: 7,
};

/** `POST /v1/batch-evals/plan`. */
export const PlanBatchEval = Strict(plan, { title: "PlanBatchEval", examples: [example] });
export type PlanBatchEval = Static<typeof PlanBatchEval>;

/** The cost of a run, and the smallest change it can detect. Planning starts nothing. */
export const BatchEvalPlan = Type.Object(
  {
    samples: Count("Samples that match"),
    results: Count("Samples times repeats"),
    generations: Count(
      "Calls that generate outputs, not counting retries. With an index, this is the maximum, because a question without relevant passages needs none",
    ),
    embeddings: Count("Calls that embed a question for the search in an index"),
    judge_calls: Count(
      "Minimum number of calls to judges. A judge of faithfulness or hallucination needs one more for each 6 additional claims in an answer",
    ),
    estimated_tokens: Count(
      "Prompt and completion tokens of the generations, estimated from earlier results of this model with the same index or none. If there are none, from the length of the texts, max_tokens and the index's max_context_tokens",
    ),
    estimated_seconds: Nullable(Type.Number({ minimum: 0 }), {
      description: "Estimated from the speed of the last batch run with this model; null: there is none",
    }),
    estimated_gpu_seconds: Nullable(Type.Number({ minimum: 0 }), {
      description: "Estimated from earlier results of this model; null: there are none",
    }),
    detectable_difference: Nullable(Type.Number(), {
      description:
        "Smallest change of a pass rate that this run can detect (power 0.8, level 0.05). It assumes the pass rate of the last run on this dataset, or 0.5 if there is none, and that samples of the same group depend on each other. null: there are too few samples",
    }),
    warnings: Type.Array(Type.String()),
  },
  { title: "BatchEvalPlan" },
);
export type BatchEvalPlan = Static<typeof BatchEvalPlan>;

/** The settings of a batch run that don't affect its figures. */
const settings = {
  max_concurrency: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1024,
      default: 64,
      description: "Maximum parallel requests; the nodes' backpressure may reduce it",
    }),
  ),
  max_error_share: Type.Optional(
    Share(
      "The run fails if a larger proportion of its results are errors, checked from the 20th result on. Default: no limit",
    ),
  ),
};
export const BatchSettings = Strict(settings, { title: "BatchSettings" });
export type BatchSettings = Static<typeof BatchSettings>;

/** `POST /v1/batch-evals`. */
export const StartBatchEval = Strict(
  {
    ...plan,
    ...settings,
    name,
    tags: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 64 }), { maxItems: 20, uniqueItems: true })),
  },
  { title: "StartBatchEval", examples: [{ ...example, name: "capitals, 64 tokens" }] },
);
export type StartBatchEval = Static<typeof StartBatchEval>;

/** A recomputation of a run's scores. */
const Recomputation = Type.Object(
  {
    state: OneOf(["queued", "running", "completed", "failed", "cancelled"]),
    evaluators: Type.Array(Type.String()),
    shadow: Type.Boolean(),
    done: Count("Results scored again, or skipped because they had these scores"),
    total: Count("Results with an output"),
    added: Count("New scores"),
    error: Nullable(ErrorBody),
  },
  { title: "Recomputation" },
);

const Waiting = Type.Object(
  {
    code: Type.String({ examples: ["unavailable"] }),
    message: Type.String(),
    since: Timestamp,
  },
  { title: "Waiting" },
);

/** A batch run. */
export const BatchEval = Type.Object(
  {
    ...Run.properties,
    settings: BatchSettings,
    waiting: Nullable(Waiting, {
      description:
        "Why no call has succeeded for a few seconds, such as a limit or a node that is down. The run continues as soon as calls succeed, and fails after 15 minutes without one",
    }),
    cached: Nullable(Count("Outputs that came from the answer cache, or from an identical concurrent request"), {
      description: "null: not counted, because an earlier version started the run",
    }),
    cost: Nullable(
      Type.Object({ amount: Type.Number({ minimum: 0 }), currency: Type.String() }, { title: "RunCost" }),
      {
        description:
          "`gpu_seconds` at GROUNDWIRE_GPU_PRICE_PER_HOUR, divided by the current number of slots, because an answer uses one of them. Judges are not included. null: no price is configured, or no node is connected",
      },
    ),
    recompute: Nullable(Recomputation, { description: "The latest recomputation; null: none in the last 30 days" }),
  },
  { title: "BatchEval" },
);
export type BatchEval = Static<typeof BatchEval>;

/** `POST /v1/batch-evals/{id}/resume`: continues a paused, cancelled or failed run. */
export const ResumeBatchEval = Strict(
  {
    retry_errors: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Also retry results that are errors; other results are kept. Also allowed for a completed run",
      }),
    ),
  },
  { title: "ResumeBatchEval", examples: [{ retry_errors: true }] },
);
export type ResumeBatchEval = Static<typeof ResumeBatchEval>;

/** `POST /v1/batch-evals/{id}/recompute`: scores the stored outputs again and keeps the earlier scores. */
export const RecomputeBatchEval = Strict(RecomputeEval.properties, {
  title: "RecomputeBatchEval",
  examples: [{ evaluators: ["reference@1"], shadow: true }],
});
export type RecomputeBatchEval = Static<typeof RecomputeBatchEval>;

/** The results of a run that are listed or exported. Default: all. */
const resultFilter = {
  state: Type.Optional(SampleResult.properties.state),
  passed: Type.Optional(OneOf(["true", "false"])),
  failure: Type.Optional(FailureKind),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  group: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "The group of the sample" })),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Part of the input or output" })),
};

/** `GET /v1/batch-evals/{id}/samples`. */
export const ResultQuery = Type.Object({
  ...PageQuery.properties,
  ...resultFilter,
  sort: Type.Optional(
    OneOf(["dataset", "worst_first", "slowest_first"], {
      default: "dataset",
      description: "worst_first: by the lowest overall score of an evaluator. Results without a value come last",
    }),
  ),
});
export type ResultQuery = Static<typeof ResultQuery>;

/** `GET /v1/batch-evals/{id}/events`. */
export const EventQuery = Type.Object({
  samples: Type.Optional(OneOf(["true", "false"], { default: "true", description: "false: no `sample` events" })),
});

/** `GET /v1/batch-evals/{id}/export`. */
export const ExportQuery = Type.Object({
  format: Type.Optional(
    OneOf(["jsonl", "csv", "parquet", "junit", "html", "bundle"], {
      default: "jsonl",
      description:
        "jsonl: the results as `GET /v1/batch-evals/{id}/samples` lists them. csv and parquet: one row per result, with columns for each criterion and evaluator. junit: one test case per result. html: a readable report in one file. bundle: the whole run, once it has ended, as one tar.gz that `bun run verify` checks",
    }),
  ),
  ...resultFilter,
});
export type ExportQuery = Static<typeof ExportQuery>;

/**
 * Events of `GET /v1/batch-evals/{id}/events`. Each has the id of the last ended result that it includes, and
 * `Last-Event-ID` resumes after it.
 */
export const BatchEvalEvent = Type.Union(
  [
    Type.Object({ type: Type.Literal("state"), run: RunInfo }, { title: "BatchEvalStateEvent" }),
    Type.Object(
      {
        type: Type.Literal("progress"),
        at: Timestamp,
        ...Type.Pick(RunFigures, ["progress", "passed", "verdict", "statistics", "failures", "usage"]).properties,
        ...Type.Pick(BatchEval, ["waiting"]).properties,
      },
      { title: "BatchEvalProgressEvent" },
    ),
    Type.Object(
      {
        type: Type.Literal("sample"),
        ...Type.Pick(SampleResult, ["sample_key", "repeat", "state", "passed", "failure"]).properties,
        result_id: Id("res"),
      },
      { title: "BatchEvalSampleEvent" },
    ),
    Type.Object({ type: Type.Literal("done"), run: BatchEval }, { title: "BatchEvalDoneEvent" }),
  ],
  { title: "BatchEvalEvent" },
);
export type BatchEvalEvent = Static<typeof BatchEvalEvent>;
