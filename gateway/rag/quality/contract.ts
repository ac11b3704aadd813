import { type Static, Type } from "@sinclair/typebox";
import { Count, Nullable, OneOf, Share, Strict } from "../../contract";
import { Interval, Rate } from "../../evals/statistics-contract";
import { RetrievalOverrides, Threshold } from "../../retrieval-contract";

/* Measuring retrieval on labelled questions: calibration, and the comparison of two versions. */

const LabelledQuestion = Strict(
  {
    question: Type.String({ minLength: 1, maxLength: 10_000 }),
    relevant: Type.Array(Type.String({ maxLength: 2000 }), {
      description: "Documents (ids or file names) or chunks (ids) that answer the question. Empty if none do",
      maxItems: 100,
    }),
  },
  { title: "LabelledQuestion" },
);
export type LabelledQuestion = Static<typeof LabelledQuestion>;

const MAX_QUESTIONS = 5000;
const EXAMPLE = [
  { question: "How many days of leave?", relevant: ["leave.md"] },
  { question: "Who won in 1998?", relevant: [] },
];

/** `POST /v1/rag/indexes/{id}/calibrate`: searches the questions without changing the index. */
export const CalibrateIndex = Strict(
  {
    questions: Type.Array(LabelledQuestion, { minItems: 2, maxItems: MAX_QUESTIONS }),
    retrieval: Type.Optional(RetrievalOverrides),
    version: Type.Optional(Type.Integer({ minimum: 1, description: "Default: the active version" })),
  },
  { title: "CalibrateIndex", examples: [{ questions: EXAMPLE }] },
);
export type CalibrateIndex = Static<typeof CalibrateIndex>;

const measured = Nullable(Rate, { description: "With its 95 % interval; null without answerable questions" });

/** The error rates of a threshold on labelled questions. */
export const ThresholdOutcome = Type.Object(
  {
    threshold: Type.Number(),
    false_answers: Share("Fraction of the unanswerable questions that would be answered"),
    false_refusals: Share("Fraction of the answerable questions that would get the fallback text"),
  },
  { title: "ThresholdOutcome" },
);
export type ThresholdOutcome = Static<typeof ThresholdOutcome>;

export const IndexCalibration = Type.Object(
  {
    answerable: Count("Questions with a relevant chunk or document"),
    unanswerable: Count(),
    recall_at_k: measured,
    mrr: measured,
    ndcg_at_k: measured,
    k: Type.Integer({ minimum: 1, description: "`top_k` of the settings" }),
    score: Nullable(Threshold.properties.score, {
      description: "The score that the threshold applies to; null if the mode does not compute it",
    }),
    curve: Type.Array(ThresholdOutcome, {
      description: "In steps of 0.01; empty without both answerable and unanswerable questions",
    }),
    suggested: Nullable(ThresholdOutcome, {
      description:
        "The threshold with the best balanced accuracy: the mean of the fraction of answerable questions that are answered and the fraction of unanswerable questions that get the fallback text. It was chosen on these questions, so expect slightly more errors on others",
    }),
  },
  { title: "IndexCalibration" },
);
export type IndexCalibration = Static<typeof IndexCalibration>;

/** `POST /v1/rag/indexes/{id}/compare`: `a` is the baseline, `b` the candidate. Changes nothing. */
export const CompareVersions = Strict(
  {
    questions: Type.Array(LabelledQuestion, {
      minItems: 1,
      maxItems: MAX_QUESTIONS,
      description:
        "Questions without relevant documents are left out. Label documents, because a chunk belongs to one version",
    }),
    a: Type.Optional(Type.Integer({ minimum: 1, description: "Baseline. Default: the active version" })),
    b: Type.Integer({ minimum: 1, description: "Version to compare with the baseline" }),
    retrieval: Type.Optional(RetrievalOverrides),
  },
  { title: "CompareVersions", examples: [{ b: 2, questions: EXAMPLE }] },
);
export type CompareVersions = Static<typeof CompareVersions>;

/** The ranking metrics of one question. */
const QuestionMetrics = Type.Object(
  {
    ndcg_at_k: Share("nDCG at k"),
    recall_at_k: Share("Recall at k"),
    mrr: Share("1 / rank of the first relevant result"),
  },
  { title: "QuestionMetrics" },
);
export type QuestionMetrics = Static<typeof QuestionMetrics>;

const MetricChange = Type.Object(
  {
    metric: OneOf(["ndcg_at_k", "recall_at_k", "mrr"]),
    a: Type.Number({ description: "Mean over the questions" }),
    b: Type.Number(),
    difference: Type.Number({ description: "b minus a" }),
    interval: Nullable(Interval, { description: "95 % interval of the difference; null if there is too little data" }),
    test: OneOf(["mcnemar_exact", "paired_t", "paired_bootstrap", "paired_cluster_bootstrap"]),
    p: Share("Two-sided p-value"),
    better: Count("Questions for which b is higher"),
    worse: Count("Questions for which b is lower"),
    detectable_difference: Nullable(Type.Number(), {
      description:
        "Smallest true difference that this many questions with this spread can detect (power 0.8, level 0.05)",
    }),
  },
  { title: "MetricChange" },
);
export type MetricChange = Static<typeof MetricChange>;

export const VersionComparison = Type.Object(
  {
    a: Type.Integer({ minimum: 1 }),
    b: Type.Integer({ minimum: 1 }),
    k: Type.Integer({ minimum: 1, description: "`top_k` of the settings" }),
    n: Count("Questions with relevant documents"),
    left_out: Count("Questions without relevant documents"),
    verdict: OneOf(["better", "worse", "not_shown"], {
      description: "Result for b, decided by nDCG at the 0.05 level. The other metrics are for information",
    }),
    summary: Type.String({ description: "The result in words" }),
    metrics: Type.Array(MetricChange),
    questions: Type.Array(
      Type.Object({
        position: Count("Position in the request, from 0"),
        question: Type.String(),
        a: QuestionMetrics,
        b: QuestionMetrics,
        difference: Type.Number({ description: "nDCG of b minus a" }),
      }),
      { description: "Largest change first" },
    ),
  },
  { title: "VersionComparison" },
);
export type VersionComparison = Static<typeof VersionComparison>;
