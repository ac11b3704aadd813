import { type Static, Type } from "@sinclair/typebox";
import { MaxTokens, SAMPLING, StopList } from "../../gpu-node/protocol";
import { FinishReason, Latency, Usage } from "../chat/contract";
import { TextMessage, ToolCall } from "../chat/message";
import {
  CacheReport,
  Count,
  ErrorBody,
  Id,
  Nullable,
  OneOf,
  Page,
  PageQuery,
  Share,
  Strict,
  Timestamp,
} from "../contract";
import { NewSample } from "../datasets/contract";
import { SampleFields } from "../datasets/sample-contract";
import { Citation, RetrievalOverrides, RetrievalReport } from "../retrieval-contract";
import { RunLatency, Segment, Statistic, VerdictSummary } from "./statistics-contract";

const metricName = Type.String({
  pattern: "^[a-z][a-z0-9_]{0,63}$",
  description: "A criterion's name, for example `correctness`",
});
const evaluatorRef = Type.String({ pattern: "^[a-z][a-z0-9_-]{0,63}@[1-9][0-9]*$", examples: ["reference@1"] });

export const Criterion = Strict(
  {
    name: metricName,
    description: Type.String({ minLength: 1, maxLength: 10_000, description: "The question that a judge answers" }),
    scale: Strict({
      min: Type.Number(),
      max: Type.Number(),
      step: Nullable(Type.Number({ exclusiveMinimum: 0 }), { description: "null: any value from min to max" }),
    }),
    direction: OneOf(["higher_is_better", "lower_is_better"]),
    threshold: Nullable(Type.Number(), {
      description: "The worst value that passes; null: for information, excluded from the verdict",
    }),
    weight: Type.Number({
      minimum: 0,
      maximum: 1000,
      description: "Weight in an evaluator's `overall`; 0 leaves the criterion out",
    }),
  },
  { title: "Criterion" },
);
export type Criterion = Static<typeof Criterion>;

/** Built-in criteria are given by name, your own in full. */
export const Rubric = Strict(
  { criteria: Type.Array(Type.Union([metricName, Criterion]), { minItems: 1, maxItems: 20 }) },
  { title: "Rubric", examples: [{ criteria: ["correctness", "faithfulness", "hallucination"] }] },
);
export type Rubric = Static<typeof Rubric>;

/** Settings of a judge. A schema constrains its output: the reason first, the score last. */
export const JudgeSettings = Strict(
  {
    model: Type.String({ minLength: 1, maxLength: 200 }),
    prompt: Nullable(Type.String({ minLength: 1, maxLength: 220 }), {
      description: "null: the built-in prompt, the only one so far",
    }),
    votes: Type.Integer({ minimum: 1, maximum: 15, description: "An odd number; the median vote counts" }),
    temperature: SAMPLING.temperature,
    seed: Type.Integer({ minimum: 0, maximum: 4_294_967_295 }),
  },
  { title: "JudgeSettings" },
);
export type JudgeSettings = Static<typeof JudgeSettings>;

/** Where the outputs come from. `stored` scores the samples' existing outputs. */
export const Target = Strict(
  {
    kind: OneOf(["chat", "rag", "stored"]),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Default: the default model" })),
    prompt: Type.Optional(Type.String({ minLength: 1, maxLength: 220, description: "`name@version` or `name@label`" })),
    index: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 100,
        description: "Id or name of an index. Required for rag, and only for it",
      }),
    ),
    retrieval: Type.Optional(RetrievalOverrides),
    max_tokens: Type.Optional(MaxTokens),
    temperature: Type.Optional({ ...SAMPLING.temperature, default: 0 }),
    top_p: Type.Optional(SAMPLING.top_p),
    stop: Type.Optional(StopList),
  },
  { title: "Target", examples: [{ kind: "chat", model: "smollm2-135m-instruct", max_tokens: 64 }] },
);
export type Target = Static<typeof Target>;

export const Claim = Type.Object(
  {
    text: Type.String(),
    start: Count("UTF-16 offset in the output"),
    end: Count(),
    verdict: OneOf(["supported", "partly", "unsupported"]),
    score: Share("How well the contexts support the claim"),
    context: Nullable(Count("Index of the context that supports it best")),
    unsupported: Type.Array(
      Type.Object(
        { start: Count(), end: Count(), note: Type.String() },
        { description: "UTF-16 offsets in the output" },
      ),
      { description: "The parts that no context supports, as narrow as possible; empty for a supported claim" },
    ),
  },
  { title: "Claim" },
);
export type Claim = Static<typeof Claim>;

/** One criterion scored by one evaluator. An error is a separate state, never a value. */
export const Score = Type.Object(
  {
    metric: metricName,
    evaluator: evaluatorRef,
    evaluator_hash: Type.String({ description: "sha256 of everything that affects a score of this version" }),
    criterion: Criterion,
    criterion_hash: Type.String({ description: "sha256 of the whole criterion" }),
    state: OneOf(["scored", "error"]),
    value: Nullable(Type.Number()),
    passed: Nullable(Type.Boolean(), { description: "null: no threshold, or an error" }),
    reason: Nullable(Type.String()),
    claims: Type.Array(Claim),
    votes: Type.Array(Type.Number(), {
      description: "The judge's votes, if it was asked several times; `value` is their median",
    }),
    shadow: Type.Boolean({ description: "Scored for comparison: excluded from the verdict" }),
    judge: Nullable(
      Type.Object({
        model: Type.String(),
        model_revision: Type.String(),
        temperature: Type.Number(),
        seed: Type.Integer(),
      }),
      { description: "The model that judged; null for an evaluator without one" },
    ),
    embedder: Nullable(Type.Object({ model: Type.String(), model_revision: Type.String() }), {
      description: "The embedding model that compared meanings; null if none did",
    }),
    error: Nullable(ErrorBody),
    scored_at: Timestamp,
  },
  { title: "Score" },
);
export type Score = Static<typeof Score>;

/** One evaluator's verdict on a result, based on all its scores. */
export const EvaluatorVerdict = Type.Object(
  {
    evaluator: evaluatorRef,
    role: OneOf(["verdict", "comparison", "replaced"], {
      description:
        "verdict: the result's `passed` counts its scores; comparison: a shadow, scored but excluded from the verdict; replaced: newer scores by another version count instead",
    }),
    passed: Nullable(Type.Boolean(), {
      description: "Every criterion with a threshold passed; null: one has no value, or none has a threshold",
    }),
    overall: Nullable(Share("Weighted mean of this evaluator's values, each scaled to 0…1 where 1 is best"), {
      description: "null: no criterion has a weight, or a weighted criterion could not be scored",
    }),
  },
  { title: "EvaluatorVerdict" },
);
export type EvaluatorVerdict = Static<typeof EvaluatorVerdict>;

export const FailureKind = OneOf(
  [
    "wrong",
    "unsupported",
    "refused",
    "empty",
    "truncated",
    "bad_format",
    "no_context",
    "invalid_sample",
    "timeout",
    "rate_limited",
    "upstream_error",
    "judge_error",
  ],
  { title: "FailureKind" },
);
export type FailureKind = Static<typeof FailureKind>;

/** A person's label of a result on one criterion. */
export const Label = Type.Object(
  {
    id: Id("label"),
    result_id: Id("res"),
    metric: metricName,
    value: Type.Number(),
    failure: Nullable(FailureKind, { description: "The failure kind as corrected by the author" }),
    comment: Nullable(Type.String()),
    blind: Type.Boolean({ description: "Given before the author saw the scores" }),
    labelled_by: Type.String({ description: "Id of the author's key" }),
    labelled_by_name: Nullable(Type.String(), {
      description: "Name of that key; null: the key is not on this instance",
    }),
    created_at: Timestamp,
    replaced_at: Nullable(Timestamp, { description: "When the author changed it; null: current" }),
  },
  { title: "Label" },
);
export type Label = Static<typeof Label>;

export const Output = Type.Object(
  {
    text: Type.String(),
    reasoning: Type.Optional(Type.String()),
    tool_calls: Type.Optional(Type.Array(ToolCall)),
    contexts: Type.Array(Type.String()),
    citations: Type.Array(Citation),
    finish_reason: Nullable(FinishReason),
    usage: Nullable(Usage),
    latency: Nullable(Latency),
    cache: Nullable(CacheReport),
    model_revision: Nullable(Type.String()),
    request_id: Nullable(Type.String()),
    status: Type.Optional(
      OneOf(["answered", "no_relevant_context"], {
        description:
          "Only for rag. no_relevant_context: the text is the index's fallback text, and no model was called",
      }),
    ),
    retrieval: Type.Optional(RetrievalReport),
  },
  { title: "Output" },
);
export type Output = Static<typeof Output>;

/** One repeat of one sample. */
export const SampleResult = Type.Object(
  {
    id: Id("res"),
    run_id: Id("run"),
    sample_id: Id("sample"),
    sample_key: Type.String(),
    repeat: Count("From 0"),
    group: Nullable(Type.String()),
    tags: Type.Array(Type.String()),
    state: OneOf(["pending", "running", "done", "error"]),
    input: Type.Union([Type.String(), Type.Array(TextMessage)]),
    references: Type.Array(Type.String()),
    contexts: Type.Array(Type.String()),
    expected_tool_calls: SampleFields.properties.expected_tool_calls,
    output: Nullable(Output),
    scores: Type.Array(Score, { description: "Oldest first" }),
    passed: Nullable(Type.Boolean(), {
      description:
        "Every evaluator with the `verdict` role passes it on every criterion with a threshold; null: not known. An answer with neither text nor function calls never passes. The fallback text of an index passes if the sample expects no answer",
    }),
    verdicts: Type.Array(EvaluatorVerdict, {
      description: "One for each evaluator that scored the result, in the run's order. Evaluators are never averaged",
    }),
    failure: Nullable(FailureKind),
    error: Nullable(ErrorBody),
    attempts: Count(),
    labels: Type.Array(Label),
  },
  { title: "SampleResult" },
);
export type SampleResult = Static<typeof SampleResult>;

export const SampleResultPage = Page(SampleResult);
export type SampleResultPage = Static<typeof SampleResultPage>;

const RunState = OneOf(["queued", "running", "paused", "completed", "failed", "cancelled"], {
  title: "RunState",
});

/** Which samples of a dataset a batch run uses; default: all. */
export const SampleChoice = Strict(
  {
    tags: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
        minItems: 1,
        maxItems: 50,
        uniqueItems: true,
        description: "Only samples with at least one of these tags",
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 10_000_000,
        description: "A random subset of this size, chosen by the seed",
      }),
    ),
  },
  { title: "SampleChoice" },
);
export type SampleChoice = Static<typeof SampleChoice>;

/** The model, data and settings behind a run. */
export const RunPins = Type.Object(
  {
    dataset: Nullable(
      Type.Object({ id: Id("ds"), name: Type.String(), revision: Type.Integer({ minimum: 1 }), hash: Type.String() }),
    ),
    samples: Type.Optional(SampleChoice),
    target: Target,
    model_revision: Nullable(Type.String()),
    node_version: Nullable(Type.String()),
    engine: Nullable(Type.String()),
    prompt_hash: Nullable(Type.String()),
    index_name: Type.Optional(
      Type.String({ description: "Only for rag. `target` has the index's id and all search settings" }),
    ),
    index_version: Type.Optional(Type.Integer({ minimum: 1 })),
    embedding_model: Type.Optional(Type.String({ description: "Only for rag: the embedding model of the index" })),
    embedding_model_revision: Type.Optional(Type.String()),
    index_revision: Nullable(Type.Integer({ minimum: 1 })),
    evaluators: Type.Array(Type.Object({ evaluator: evaluatorRef, shadow: Type.Boolean(), hash: Type.String() })),
    rubric: Nullable(Rubric, { description: "As requested; null: each evaluator used its own criteria" }),
    rubric_hash: Nullable(Type.String()),
    seed: Type.Integer(),
    repeats: Type.Integer({ minimum: 1 }),
    code_version: Type.String(),
    host: Type.Record(Type.String(), Type.Unknown(), { description: "CPU, memory, GPU, operating system" }),
  },
  { title: "RunPins" },
);
export type RunPins = Static<typeof RunPins>;

const Progress = Type.Object(
  {
    total: Count("Samples times repeats"),
    done: Count(),
    errors: Count("Done results that failed"),
    judged: Count("Done results with a verdict"),
    running: Count(),
    samples_per_second: Type.Number({ minimum: 0 }),
    eta_seconds: Nullable(Type.Number({ minimum: 0 }), {
      description: "null: unknown, for example because the run waits for a worker or for a node, or is paused",
    }),
  },
  { title: "Progress" },
);

/** A run without its figures. */
export const RunInfo = Type.Object(
  {
    id: Id("run"),
    kind: OneOf(["single", "batch"]),
    name: Type.String(),
    tags: Type.Array(Type.String()),
    state: RunState,
    pins: RunPins,
    error: Nullable(ErrorBody, { description: "Why the run failed" }),
    created_by: Type.String(),
    created_at: Timestamp,
    started_at: Nullable(Timestamp),
    ended_at: Nullable(Timestamp),
  },
  { title: "RunInfo" },
);
export type RunInfo = Static<typeof RunInfo>;

/** The figures of a run, computed from its results, scores and labels. */
export const RunFigures = Type.Object({
  progress: Progress,
  passed: Nullable(Share("Proportion of results with a verdict that passed")),
  verdict: Nullable(VerdictSummary, { description: "null: no result has a verdict yet" }),
  statistics: Type.Array(Statistic, {
    description:
      "One per criterion and evaluator: criteria in the rubric's order, evaluators in the run's order. Partial until the run ends",
  }),
  failures: Type.Record(Type.String(), Count(), { description: "Results by failure kind" }),
  usage: Usage,
  gpu_seconds: Type.Number({ minimum: 0 }),
  latency: Nullable(RunLatency, { description: "null: no model was called" }),
  segments: Type.Array(Segment, { description: "By tag and by group: the largest, at most 50 of each" }),
});
export type RunFigures = Static<typeof RunFigures>;

export const Run = Type.Object(
  {
    ...RunInfo.properties,
    ...RunFigures.properties,
    figures_stale: Type.Boolean({
      description:
        "true: `verdict`, `statistics`, `latency` and `segments` don't include the latest results, scores or labels yet, or have never been computed. They are updated every few seconds during the run, and are being recomputed if it has ended: read it again in a few seconds",
    }),
    cost: Nullable(Type.Object({ amount: Type.Number({ minimum: 0 }), currency: Type.String() }), {
      description: "null unless a price per hour is configured",
    }),
  },
  { title: "Run" },
);
export type Run = Static<typeof Run>;

export const RunPage = Page(Run);
export type RunPage = Static<typeof RunPage>;

/** `GET /v1/evals` and `GET /v1/batch-evals`: newest first. */
export const RunQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(RunState),
  dataset: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "Id or name" })),
  tag: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  evaluator: Type.Optional(evaluatorRef),
  passed: Type.Optional(
    OneOf(["true", "false"], { description: "true: every result with a verdict passed; false: at least one did not" }),
  ),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Part of the name" })),
});
export type RunQuery = Static<typeof RunQuery>;

/** `GET /v1/evals/{id}`: the run, and a page of its results. */
export const RunWithResults = Type.Object({ run: Run, results: SampleResultPage }, { title: "RunWithResults" });
export type RunWithResults = Static<typeof RunWithResults>;

const evaluatorList = (description: string) =>
  Type.Optional(Type.Array(evaluatorRef, { minItems: 1, maxItems: 10, uniqueItems: true, description }));

/**
 * `POST /v1/evaluate` scores one sample now, given in full or by its key in a dataset. An existing output is scored as
 * it is.
 */
export const EvaluateRequest = Strict(
  {
    sample: Type.Optional(NewSample),
    dataset: Type.Optional(
      Strict(
        {
          dataset: Type.String({ minLength: 1, maxLength: 100, description: "Id or name" }),
          revision: Type.Optional(Type.Integer({ minimum: 1, description: "Default: the newest" })),
          key: Type.String({ minLength: 1, maxLength: 200, description: "Key of the sample" }),
        },
        { description: "Instead of `sample`" },
      ),
    ),
    target: Type.Optional(Target),
    evaluators: evaluatorList("Evaluators that the verdict counts; default: the active ones"),
    shadow_evaluators: evaluatorList("Shadow evaluators: scored, but excluded from the verdict"),
    rubric: Type.Optional(Rubric),
    seed: Type.Optional(Type.Integer({ minimum: 0, maximum: 4_294_967_295, default: 0 })),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
  },
  {
    title: "EvaluateRequest",
    examples: [
      {
        sample: { input: "What is the capital of France?", references: ["Paris"], output: "It is Paris." },
        evaluators: ["reference@1"],
      },
    ],
  },
);
export type EvaluateRequest = Static<typeof EvaluateRequest>;

/** One result, and the run it belongs to. */
export const Evaluation = Type.Object({ result: SampleResult, run: RunInfo }, { title: "Evaluation" });
export type Evaluation = Static<typeof Evaluation>;

/**
 * `POST /v1/evals/{id}/recompute` scores the stored outputs again, with the run's rubric if it has one, otherwise with
 * the evaluators' own criteria. Scores with another rubric are excluded from the verdict.
 */
export const RecomputeEval = Strict(
  {
    evaluators: Type.Array(evaluatorRef, { minItems: 1, maxItems: 10, uniqueItems: true }),
    rubric: Type.Optional(Rubric),
    shadow: Type.Optional(
      Type.Boolean({
        description:
          "true: the new scores are for comparison only; false: they count toward the verdict. Default: true with a rubric, else false. On another key's run, false requires the editor role",
      }),
    ),
  },
  { title: "RecomputeEval", examples: [{ evaluators: ["judge@1"], shadow: true }] },
);
export type RecomputeEval = Static<typeof RecomputeEval>;

export const Recomputed = Type.Object(
  { added: Count("New scores; criteria that had a value were not scored again"), run: Run, results: SampleResultPage },
  { title: "Recomputed" },
);
export type Recomputed = Static<typeof Recomputed>;
