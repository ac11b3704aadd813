import { type Static, Type } from "@sinclair/typebox";
import { t } from "elysia";
import { MaxTokens, SAMPLING } from "../../gpu-node/protocol";
import { FinishReason, Latency, Usage } from "../chat/contract";
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
import { Metadata } from "../embeddings/contract";

/* Indexes, documents and queries. The routes answer 501 in this version. */

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
const Threshold = Strict(
  {
    score: OneOf(["vector", "fused", "rerank"], { description: "vector: cosine of the best chunk" }),
    value: Type.Number({ minimum: -1, maximum: 1 }),
  },
  { title: "Threshold" },
);

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
    threshold: Nullable(Threshold, { description: "Below it, no answer is generated; null: always answer" }),
    max_context_tokens: Type.Integer({
      minimum: 64,
      maximum: 1_000_000,
      description: "Budget for contexts in the prompt",
    }),
    fallback_text: Type.String({ maxLength: 2000, description: "Answer when nothing relevant was found" }),
  },
  { title: "RetrievalSettings" },
);

/** Settings that a request overrides. The index's settings apply otherwise. */
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

/** One build of an index: what its vectors depend on. Only the active one answers; others are kept for rollback. */
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

export const IndexVersionPage = Page(IndexVersion);

export const RagIndex = Type.Object(
  {
    id: Id("idx"),
    name: indexName,
    description: Type.String(),
    status: OneOf(["empty", "ingesting", "ready", "failed"], {
      description: "ingesting: documents processed so far are searchable",
    }),
    revision: Type.Integer({ minimum: 1, description: "Increases with every change that a query can see" }),
    active: IndexVersion,
    building: Nullable(IndexVersion),
    retrieval: RetrievalSettings,
    documents: Count(),
    failed_documents: Count(),
    chunks: Count(),
    tokens: Count("Of all chunks together"),
    size_bytes: Count("Of texts and vectors together"),
    ingestion: Nullable(Ingestion, { description: "The running job, or the last one" }),
    last_error: Nullable(ErrorBody),
    created_at: Timestamp,
    created_by: Type.String(),
    updated_at: Timestamp,
  },
  { title: "RagIndex" },
);

export const RagIndexPage = Page(RagIndex);

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

/** `PATCH /v1/rag/indexes/{id}`: only names and retrieval; a different model or chunker needs a new version. */
export const UpdateIndex = Strict(
  {
    name: Type.Optional(indexName),
    description: Type.Optional(Type.String({ maxLength: 2000 })),
    retrieval: Type.Optional(RetrievalOverrides),
  },
  { title: "UpdateIndex", minProperties: 1, examples: [{ retrieval: { top_k: 8 } }] },
);

/** `POST /v1/rag/indexes/{id}/versions`: builds a version while the active one keeps answering queries. */
export const BuildVersion = Strict(
  {
    embedding_model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    chunking: Type.Optional(Chunking),
  },
  { title: "BuildVersion", minProperties: 1, examples: [{ chunking: { chunk_tokens: 120, overlap_tokens: 20 } }] },
);

const LabelledQuestion = Strict(
  {
    question: Type.String({ minLength: 1, maxLength: 10_000 }),
    relevant: Type.Array(Type.String(), {
      description: "Ids of chunks or documents that answer the question; empty: unanswerable",
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

const measured = Type.Object(
  { value: Type.Number(), low: Type.Number(), high: Type.Number() },
  { title: "MeasuredValue", description: "With its 95% interval" },
);

export const IndexCalibration = Type.Object(
  {
    answerable: Count("Questions with a relevant chunk or document"),
    unanswerable: Count(),
    recall_at_k: measured,
    mrr: measured,
    ndcg_at_k: measured,
    k: Type.Integer({ minimum: 1 }),
    curve: Type.Array(
      Type.Object({
        threshold: Type.Number(),
        false_answers: Share("Unanswerable questions that would be answered"),
        false_refusals: Share("Answerable questions that would get the fallback text"),
      }),
    ),
    suggested: Threshold,
  },
  { title: "IndexCalibration" },
);

const mediaType = OneOf(["text/plain", "text/markdown", "text/html", "application/pdf"]);

export const RagDocument = Type.Object(
  {
    id: Id("doc"),
    index_id: Id("idx"),
    title: Type.String(),
    source: Nullable(Type.String(), { description: "File name or URL, as given; never fetched" }),
    media_type: mediaType,
    content_hash: Type.String({ description: "sha256 of the content. Adding the same content again has no effect" }),
    metadata: Metadata,
    state: OneOf(["queued", "reading", "chunking", "embedding", "ready", "failed", "cancelled"]),
    error: Nullable(ErrorBody),
    chunks: Count(),
    characters: Count(),
    created_at: Timestamp,
    updated_at: Timestamp,
  },
  { title: "RagDocument" },
);

export const RagDocumentPage = Page(RagDocument);

export const DocumentQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(RagDocument.properties.state),
  search: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: "Words of title or source" })),
});

const NewDocument = Strict(
  {
    id: Type.Optional(Id("doc", "Replaces the document of this id")),
    title: Type.Optional(
      Type.String({ minLength: 1, maxLength: 500, description: "Default: the first heading or line" }),
    ),
    text: Type.String({ minLength: 1, description: "Text, Markdown or HTML" }),
    media_type: Type.Optional(OneOf(["text/plain", "text/markdown", "text/html"], { default: "text/markdown" })),
    source: Type.Optional(Type.String({ maxLength: 2000 })),
    metadata: Type.Optional(Metadata),
  },
  { title: "NewDocument" },
);

/** JSON body of `POST /v1/rag/indexes/{id}/documents`. */
export const AddDocuments = Strict(
  { documents: Type.Array(NewDocument, { minItems: 1, maxItems: 1000 }) },
  {
    title: "AddDocuments",
    examples: [{ documents: [{ title: "Leave", text: "# Leave\n\nEveryone has 30 days.", source: "leave.md" }] }],
  },
);

/** Form of `POST /v1/rag/indexes/{id}/documents`. `metadata` is a JSON object for all files. */
export const DocumentsForm = t.Object(
  { files: t.Files({ minItems: 1, maxItems: 100 }), metadata: t.Optional(t.String({ maxLength: 100_000 })) },
  { title: "DocumentsForm", additionalProperties: false },
);

/** 202: the documents are stored; the job makes them searchable. */
export const AddedDocuments = Type.Object(
  {
    ingestion: Ingestion,
    documents: Type.Array(
      Type.Object({
        id: Id("doc"),
        source: Nullable(Type.String()),
        outcome: OneOf(["added", "replaced", "unchanged"]),
      }),
    ),
  },
  { title: "AddedDocuments" },
);

/** A searchable piece of a document. `start` and `end` are UTF-16 offsets in the document's text. */
const Chunk = Type.Object(
  {
    id: Id("chunk"),
    document_id: Id("doc"),
    position: Count("Within the document, from 0"),
    text: Type.String(),
    tokens: Count(),
    start: Count(),
    end: Count(),
    heading: Nullable(Type.String(), { description: "Headings above it: `Leave > Illness`" }),
    page: Nullable(Type.Integer({ minimum: 1 }), { description: "Only for PDFs" }),
  },
  { title: "Chunk" },
);

export const ChunkPage = Page(Chunk);

/** `POST /v1/rag/query`. */
export const RagQuery = Strict(
  {
    index: Type.String({ minLength: 1, maxLength: 100, description: "Id or name of the index" }),
    question: Type.String({ minLength: 1, maxLength: 10_000 }),
    history: Type.Optional(
      Type.Array(Strict({ role: OneOf(["user", "assistant"]), content: Type.String({ maxLength: 100_000 }) }), {
        maxItems: 100,
        description: "Earlier turns, oldest first. They are part of the prompt, but not of the search",
      }),
    ),
    filter: Type.Optional(Metadata),
    retrieval: Type.Optional(RetrievalOverrides),
    generate: Type.Optional(Type.Boolean({ default: true, description: "False: search only" })),
    grounding: Type.Optional(Type.Boolean({ default: true, description: "Score each sentence against the contexts" })),
    model: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    prompt: Type.Optional(
      Type.String({ minLength: 1, maxLength: 220, description: "Template: `name`, `name@version` or `name@label`" }),
    ),
    max_tokens: Type.Optional(MaxTokens),
    temperature: Type.Optional({ ...SAMPLING.temperature, default: 0 }),
    seed: Type.Optional(SAMPLING.seed),
    stream: Type.Optional(Type.Boolean({ default: false })),
  },
  { title: "RagQuery", examples: [{ index: "handbook", question: "How many days of leave are there?" }] },
);

const score = (description: string) => Nullable(Type.Number({ description: `${description}; null: not used` }));
const rank = Nullable(Type.Integer({ minimum: 1 }));

/** One of the `top_k` chunks, best first. */
const RetrievedChunk = Type.Object(
  {
    ...Chunk.properties,
    document_title: Type.String(),
    source: Nullable(Type.String()),
    metadata: Metadata,
    scores: Type.Object({
      vector: score("Cosine, -1 to 1"),
      keyword: score("BM25, 0 or more"),
      fused: score("Fused vector and keyword score, 0 to 1"),
      rerank: score("Reranker, 0 to 1"),
      final: Type.Number({ description: "The score that chunks are sorted by" }),
    }),
    ranks: Type.Object({ vector: rank, keyword: rank, fused: rank, final: Type.Integer({ minimum: 1 }) }),
    context: Nullable(Type.Integer({ minimum: 1 }), {
      description: "Number of the context in the prompt; null: it did not fit, or nothing was generated",
    }),
    cited: Type.Boolean(),
  },
  { title: "RetrievedChunk" },
);

/** A marker in the answer and the passage it cites. Offsets are UTF-16. */
export const Citation = Type.Object(
  {
    marker: Type.Integer({ minimum: 1, description: "The n of [n] in the answer" }),
    answer_start: Count(),
    answer_end: Count(),
    chunk_id: Id("chunk"),
    document_id: Id("doc"),
    document_title: Type.String(),
    document_hash: Type.String(),
    start: Count("In the document's text"),
    end: Count("In the document's text"),
    quote: Type.String({ description: "The document's text from start to end" }),
    page: Nullable(Type.Integer({ minimum: 1 })),
  },
  { title: "Citation" },
);
export type Citation = Static<typeof Citation>;

const GroundedSentence = Type.Object(
  {
    text: Type.String(),
    answer_start: Count(),
    answer_end: Count(),
    verdict: OneOf(["supported", "partly", "unsupported"]),
    score: Share("Support by the contexts"),
    chunk_id: Nullable(Id("chunk"), { description: "The chunk that supports it best" }),
  },
  { title: "GroundedSentence" },
);

const Grounding = Type.Object(
  {
    supported: Share("Share of sentences that are supported"),
    evaluator: Type.String({ description: "`name@version`" }),
    sentences: Type.Array(GroundedSentence),
  },
  { title: "Grounding" },
);

/** The details that are known before the first token. */
const retrieval = {
  chunks: Type.Array(RetrievedChunk),
  threshold: Nullable(
    Type.Object({
      ...Threshold.properties,
      best: Nullable(Type.Number(), { description: "Score of the best chunk; null: none was found" }),
      passed: Type.Boolean(),
    }),
  ),
  index: Type.Object({
    id: Id("idx"),
    name: Type.String(),
    revision: Type.Integer({ minimum: 1 }),
    version: Type.Integer({ minimum: 1 }),
  }),
};

const stage = Type.Optional(Type.Number({ minimum: 0 }));
const RagDiagnostics = Type.Object(
  {
    stages_ms: Type.Object(
      {
        embed: stage,
        vector: stage,
        keyword: stage,
        fusion: stage,
        rerank: stage,
        prompt: stage,
        generation: stage,
        grounding: stage,
        total: Type.Number({ minimum: 0 }),
      },
      { description: "Milliseconds; stages that did not run are omitted" },
    ),
    vector_candidates: Count(),
    keyword_candidates: Count(),
    reranked: Type.Boolean(),
    context_tokens: Count(),
    dropped_contexts: Count("Chunks that didn't fit into the token budget"),
    removed_markers: Count("Markers in the generated text that didn't cite a context"),
  },
  { title: "RagDiagnostics" },
);

export const RagAnswer = Type.Object(
  {
    id: Id("rag"),
    status: OneOf(["answered", "no_relevant_context", "retrieved"], {
      description: "no_relevant_context: `answer` is the fallback text and no model was called; retrieved: search only",
    }),
    answer: Nullable(Type.String()),
    citations: Type.Array(Citation, { description: "In the order of the answer" }),
    sources: Type.Array(
      Type.Object({ document_id: Id("doc"), title: Type.String(), source: Nullable(Type.String()) }),
      { description: "Only the documents that the answer cites" },
    ),
    grounding: Nullable(Grounding),
    ...retrieval,
    diagnostics: RagDiagnostics,
    model: Nullable(Type.String()),
    model_revision: Nullable(Type.String()),
    template_version: Nullable(Type.String()),
    finish_reason: Nullable(FinishReason),
    usage: Nullable(Usage),
    latency: Latency,
    cache: CacheReport,
    request_id: Type.String(),
  },
  { title: "RagAnswer" },
);

/** Frames of a streamed answer, in this order. A failure sends an error envelope instead of `done`. */
export const RagEvent = Type.Union(
  [
    Type.Object({ type: Type.Literal("retrieval"), ...retrieval }, { title: "RagRetrievalEvent" }),
    Type.Object({ type: Type.Literal("token"), text: Type.String() }, { title: "RagTokenEvent" }),
    Type.Object(
      {
        type: Type.Literal("citations"),
        answer: Type.String({ description: "The complete text, without markers that don't cite a context" }),
        citations: Type.Array(Citation),
      },
      { title: "RagCitationsEvent" },
    ),
    Type.Object({ type: Type.Literal("grounding"), grounding: Grounding }, { title: "RagGroundingEvent" }),
    Type.Object({ type: Type.Literal("done"), answer: RagAnswer }, { title: "RagDoneEvent" }),
  ],
  { title: "RagEvent", examples: [{ type: "token", text: "Everyone has " }] },
);
