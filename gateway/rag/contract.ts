import { type Static, Type } from "@sinclair/typebox";
import { Count, ErrorBody, Id, Nullable, OneOf, Page, Share, Strict, Timestamp } from "../contract";

/** Indexes. Documents and queries are in separate files. */

const indexName = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: "^[A-Za-z0-9][A-Za-z0-9 ._-]*$",
  description: "Unique; usable instead of the id",
});

const Chunking = Strict(
  {
    chunk_tokens: Type.Integer({ minimum: 16, maximum: 8192, description: "Tokens of the embedding model" }),
    overlap_tokens: Type.Integer({ minimum: 0, maximum: 4096, description: "Less than `chunk_tokens`" }),
  },
  { title: "Chunking", description: "Chunks end at headings, paragraphs and sentences where possible" },
);

/** The score to compare, after ranking. Higher is closer. */
export const Threshold = Strict(
  {
    score: OneOf(["vector", "fused", "rerank"], { description: "vector: cosine of the best chunk" }),
    value: Type.Number({ minimum: -1, maximum: 1 }),
  },
  { title: "Threshold" },
);
export type Threshold = Static<typeof Threshold>;

const RetrievalSettings = Strict(
  {
    mode: OneOf(["hybrid", "vector", "keyword"]),
    fusion: OneOf(["score", "rank"], {
      description: "score: weighted normalised scores; rank: reciprocal rank fusion",
    }),
    vector_weight: Share("Weight of the vector score; the keyword score gets the rest. Only for fusion by score"),
    candidates: Type.Integer({ minimum: 1, maximum: 1000, description: "Chunks that each retriever passes to fusion" }),
    top_k: Type.Integer({ minimum: 1, maximum: 100, description: "Chunks kept after ranking" }),
    rerank: Type.Boolean(),
    threshold: Nullable(Threshold, { description: "Below it nothing is generated; null: always answer" }),
    max_context_tokens: Type.Integer({
      minimum: 64,
      maximum: 1_000_000,
      description: "Budget for contexts in the prompt",
    }),
    fallback_text: Type.String({ maxLength: 2000, description: "Answer when nothing relevant was found" }),
  },
  { title: "RetrievalSettings" },
);

/** Settings that a request overrides; the index's settings apply to the others. */
export const RetrievalOverrides = Type.Partial(RetrievalSettings, {
  title: "RetrievalOverrides",
  additionalProperties: false,
});
export type RetrievalOverrides = Static<typeof RetrievalOverrides>;

/** Work on documents: one job per upload. */
export const Ingestion = Type.Object(
  {
    job_id: Id("job"),
    state: OneOf(["queued", "running", "completed", "failed", "cancelled"], {
      description: "completed even if some files failed: see `failed`",
    }),
    total: Count("Documents"),
    done: Count("Documents that are searchable"),
    failed: Count("Documents with an error of their own"),
    started_at: Nullable(Timestamp),
    ended_at: Nullable(Timestamp),
    eta_seconds: Nullable(Type.Number({ minimum: 0 })),
  },
  { title: "Ingestion" },
);
export type Ingestion = Static<typeof Ingestion>;

/** One build of an index: everything that vectors depend on. The active one serves; others are kept for rollback. */
export const IndexVersion = Type.Object(
  {
    version: Type.Integer({ minimum: 1 }),
    state: OneOf(["building", "ready", "active", "failed"]),
    embedding_model: Type.String(),
    embedding_model_revision: Type.String(),
    dimension: Type.Integer({ minimum: 1 }),
    chunker: Type.String({ description: "Chunker and its version" }),
    chunking: Chunking,
    documents: Count(),
    chunks: Count(),
    created_at: Timestamp,
    activated_at: Nullable(Timestamp),
    error: Nullable(ErrorBody),
  },
  { title: "IndexVersion" },
);
export type IndexVersion = Static<typeof IndexVersion>;

export const IndexVersionPage = Page(IndexVersion);

export const RagIndex = Type.Object(
  {
    id: Id("idx"),
    name: indexName,
    description: Type.String(),
    status: OneOf(["empty", "ingesting", "ready", "failed"], {
      description: "ingesting: documents processed so far are searchable",
    }),
    revision: Type.Integer({ minimum: 1, description: "Grows with every change that a query can see" }),
    active: IndexVersion,
    building: Nullable(IndexVersion),
    retrieval: RetrievalSettings,
    documents: Count(),
    failed_documents: Count(),
    chunks: Count(),
    tokens: Count("Of all chunks"),
    size_bytes: Count("Of texts and vectors"),
    ingestion: Nullable(Ingestion, { description: "The running job, or the last one" }),
    last_error: Nullable(ErrorBody),
    created_at: Timestamp,
    created_by: Type.String(),
    updated_at: Timestamp,
  },
  {
    title: "RagIndex",
    examples: [
      {
        id: "idx_01jd8x1m9k2n3p4q5r6s7t8v9w",
        name: "handbook",
        description: "How we work",
        status: "ready",
        revision: 12,
        active: {
          version: 1,
          state: "active",
          embedding_model: "all-minilm-l6-v2",
          embedding_model_revision: "53aa51172d14",
          dimension: 384,
          chunker: "markdown@1",
          chunking: { chunk_tokens: 200, overlap_tokens: 40 },
          documents: 42,
          chunks: 913,
          created_at: "2026-11-23T20:15:00.000Z",
          activated_at: "2026-11-23T20:15:00.000Z",
          error: null,
        },
        building: null,
        retrieval: {
          mode: "hybrid",
          fusion: "score",
          vector_weight: 0.5,
          candidates: 50,
          top_k: 5,
          rerank: false,
          threshold: { score: "vector", value: 0.35 },
          max_context_tokens: 1500,
          fallback_text: "The documents say nothing about that.",
        },
        documents: 42,
        failed_documents: 0,
        chunks: 913,
        tokens: 161_204,
        size_bytes: 2_411_724,
        ingestion: null,
        last_error: null,
        created_at: "2026-11-23T20:15:00.000Z",
        created_by: "key_4fT9kQ2mXw7R",
        updated_at: "2026-11-23T20:18:00.000Z",
      },
    ],
  },
);
export type RagIndex = Static<typeof RagIndex>;

export const RagIndexPage = Page(RagIndex);
export type RagIndexPage = Static<typeof RagIndexPage>;

/** `POST /v1/rag/indexes`. Omitted settings get measured defaults. */
export const CreateIndex = Strict(
  {
    name: indexName,
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    embedding_model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    chunking: Type.Optional(Chunking),
    retrieval: Type.Optional(RetrievalOverrides),
  },
  { title: "CreateIndex", examples: [{ name: "handbook", chunking: { chunk_tokens: 200, overlap_tokens: 40 } }] },
);
export type CreateIndex = Static<typeof CreateIndex>;

/** `PATCH /v1/rag/indexes/{id}`: names and retrieval only; another model or chunker is a new version. */
export const UpdateIndex = Strict(
  {
    name: Type.Optional(indexName),
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    retrieval: Type.Optional(RetrievalOverrides),
  },
  { title: "UpdateIndex", minProperties: 1, examples: [{ retrieval: { top_k: 8 } }] },
);
export type UpdateIndex = Static<typeof UpdateIndex>;

/** `POST /v1/rag/indexes/{id}/versions`: builds a version while the active one serves. */
export const BuildVersion = Strict(
  {
    embedding_model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    chunking: Type.Optional(Chunking),
  },
  { title: "BuildVersion", minProperties: 1, examples: [{ chunking: { chunk_tokens: 120, overlap_tokens: 20 } }] },
);
export type BuildVersion = Static<typeof BuildVersion>;

const LabelledQuestion = Strict(
  {
    question: Type.String({ minLength: 1, maxLength: 10_000 }),
    relevant: Type.Array(Type.String(), {
      description: "Ids of chunks or documents that answer it; empty: unanswerable",
      maxItems: 100,
    }),
  },
  { title: "LabelledQuestion" },
);

/** `POST /v1/rag/indexes/{id}/calibrate`: tries the questions without changing the index. */
export const CalibrateIndex = Strict(
  {
    questions: Type.Array(LabelledQuestion, { minItems: 2, maxItems: 5000 }),
    retrieval: Type.Optional(RetrievalOverrides),
    version: Type.Optional(Type.Integer({ minimum: 1, description: "Default: the active one" })),
  },
  {
    title: "CalibrateIndex",
    examples: [
      {
        questions: [
          { question: "How many days of leave?", relevant: ["doc_01jd8x1m9k2n3p4q5r6s7t8v9w"] },
          { question: "Who won in 1998?", relevant: [] },
        ],
      },
    ],
  },
);
export type CalibrateIndex = Static<typeof CalibrateIndex>;

const measured = Type.Object(
  { value: Type.Number(), low: Type.Number(), high: Type.Number() },
  { title: "MeasuredValue", description: "With its 95% interval" },
);

export const IndexCalibration = Type.Object(
  {
    answerable: Count("Questions with something relevant"),
    unanswerable: Count(),
    recall_at_k: measured,
    mrr: measured,
    ndcg_at_k: measured,
    k: Type.Integer({ minimum: 1 }),
    curve: Type.Array(
      Type.Object({
        threshold: Type.Number(),
        false_answers: Share("Unanswerable questions that would be answered"),
        false_refusals: Share("Answerable questions that would be refused"),
      }),
    ),
    suggested: Threshold,
  },
  {
    title: "IndexCalibration",
    examples: [
      {
        answerable: 120,
        unanswerable: 80,
        recall_at_k: { value: 0.93, low: 0.87, high: 0.97 },
        mrr: { value: 0.81, low: 0.75, high: 0.87 },
        ndcg_at_k: { value: 0.84, low: 0.79, high: 0.89 },
        k: 5,
        curve: [{ threshold: 0.35, false_answers: 0.1, false_refusals: 0.06 }],
        suggested: { score: "vector", value: 0.35 },
      },
    ],
  },
);
export type IndexCalibration = Static<typeof IndexCalibration>;
