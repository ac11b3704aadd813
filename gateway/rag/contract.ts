import { type Static, Type } from "@sinclair/typebox";
import { MaxTokens, SAMPLING } from "../../gpu-node/protocol";
import { FinishReason, Latency, Usage } from "../chat/contract";
import { CacheReport, Count, Id, NOT_BLANK, Nullable, OneOf, Share, Strict } from "../contract";
import { Metadata } from "../embeddings/contract";
import { Citation, DegradedSearch, RetrievalOverrides, RetrievalWarning, ThresholdReport } from "../retrieval-contract";
import { Chunk } from "./indexes/contract";
import { Filter } from "./search/filter";

/* Queries and their answers. */

/** `POST /v1/rag/query`. */
export const RagQuery = Strict(
  {
    index: Type.String({ minLength: 1, maxLength: 100, description: "Id or name of the index" }),
    question: Type.String({
      minLength: 1,
      maxLength: 10_000,
      pattern: NOT_BLANK,
      description: "The question, as a person would ask it",
    }),
    history: Type.Optional(
      Type.Array(Strict({ role: OneOf(["user", "assistant"]), content: Type.String({ maxLength: 100_000 }) }), {
        maxItems: 100,
        description: "Earlier turns, oldest first. The last question in them is also searched for",
      }),
    ),
    filter: Type.Optional(Filter),
    retrieval: Type.Optional(RetrievalOverrides),
    generate: Type.Optional(Type.Boolean({ default: true, description: "false: only search" })),
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
export type RagQuery = Static<typeof RagQuery>;

const score = (description: string) => Nullable(Type.Number({ description: `${description}; null: not used` }));
const rank = Nullable(Type.Integer({ minimum: 1 }));

/** One of the `top_k` chunks, best first. */
const RetrievedChunk = Type.Object(
  {
    ...Chunk.properties,
    document_title: Type.String(),
    document_hash: Type.String({ description: "Hash of the content that `start` and `end` count in" }),
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
      description: "Number of the context in the prompt; null if it did not fit or nothing was generated",
    }),
    cited: Type.Boolean(),
  },
  { title: "RetrievedChunk" },
);
export type RetrievedChunk = Static<typeof RetrievedChunk>;

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
    supported: Nullable(Share("Fraction of sentences that are supported"), {
      description: "null: the answer has no claims to check",
    }),
    evaluator: Type.String({ description: "`name@version`" }),
    sentences: Type.Array(GroundedSentence, {
      description: "Sentences and list items that make a claim. Questions, headings and courtesies are left out",
    }),
  },
  { title: "Grounding" },
);
export type Grounding = Static<typeof Grounding>;

/** The fields that are known before the first token. */
const retrieval = {
  chunks: Type.Array(RetrievedChunk),
  threshold: Nullable(ThresholdReport, {
    description: "null if no threshold is set, or the mode doesn't compute its score",
  }),
  warning: RetrievalWarning,
  degraded: DegradedSearch,
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
        filter: stage,
        vector: stage,
        keyword: stage,
        fusion: stage,
        rerank: stage,
        prompt: stage,
        generation: stage,
        grounding: stage,
        total: Type.Number({ minimum: 0 }),
      },
      { description: "Duration of each stage that ran, in milliseconds" },
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
      { description: "The documents that the answer cites" },
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
export type RagAnswer = Static<typeof RagAnswer>;

/** Events of a streamed answer, in this order. If it fails, an error envelope replaces the remaining events. */
export const RagEvent = Type.Union(
  [
    Type.Object({ type: Type.Literal("retrieval"), ...retrieval, cache: CacheReport }, { title: "RagRetrievalEvent" }),
    Type.Object({ type: Type.Literal("token"), text: Type.String() }, { title: "RagTokenEvent" }),
    Type.Object(
      {
        type: Type.Literal("citations"),
        answer: Type.String({ description: "The complete text. Markers that don't cite a context are removed" }),
        citations: Type.Array(Citation),
      },
      { title: "RagCitationsEvent" },
    ),
    Type.Object({ type: Type.Literal("grounding"), grounding: Grounding }, { title: "RagGroundingEvent" }),
    Type.Object({ type: Type.Literal("done"), answer: RagAnswer }, { title: "RagDoneEvent" }),
  ],
  { title: "RagEvent", examples: [{ type: "token", text: "Everyone has " }] },
);
export type RagEvent = Static<typeof RagEvent>;
