import { type Static, Type } from "@sinclair/typebox";
import { Count, Id, Nullable, OneOf, Share, STRICT_OPTIONS, Strict } from "./contract";

/* Search settings and citations, which indexes, queries and evaluations share. */

/** The minimum that one score must reach for an answer to be generated. */
export const Threshold = Strict(
  {
    score: OneOf(["relevance", "vector", "fused", "rerank"], {
      description:
        "relevance: 0 to 1, from the highest cosine and the fraction of the question's words that a chunk contains; vector: the highest cosine; fused: the highest fused score; rerank: the highest score of the reranker, only with `rerank`",
    }),
    value: Type.Number({ minimum: -1, maximum: 1 }),
  },
  { title: "Threshold" },
);

export const RetrievalSettings = Strict(
  {
    mode: OneOf(["hybrid", "vector", "keyword"]),
    fusion: OneOf(["score", "rank"], {
      description: "score: weighted normalised scores; rank: reciprocal rank fusion",
    }),
    vector_weight: Share("Weight of the vector score; the keyword score gets the rest. Only for fusion by score"),
    candidates: Type.Integer({ minimum: 1, maximum: 1000, description: "Chunks that each retriever passes to fusion" }),
    top_k: Type.Integer({ minimum: 1, maximum: 100, description: "Chunks kept after ranking" }),
    rerank: Type.Boolean({
      description:
        "Sort the best chunks with a rerank model. Switching this on changes the threshold to the rerank score, and switching it off restores the default threshold, unless `threshold` is set too",
    }),
    rerank_model: Type.Optional(
      Nullable(Type.String({ minLength: 1, maxLength: 200 }), {
        description: "The default rerank model if null or omitted",
      }),
    ),
    rerank_candidates: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 200,
        description: "Chunks to rerank, at least `top_k`; 20 if omitted",
      }),
    ),
    threshold: Nullable(Threshold, {
      description: "If the score is lower, the answer is the fallback text; null: always generate an answer",
    }),
    max_context_tokens: Type.Integer({
      minimum: 64,
      maximum: 1_000_000,
      description: "Maximum number of tokens in the prompt's contexts",
    }),
    fallback_text: Type.String({ maxLength: 2000, description: "The answer if nothing relevant is found" }),
  },
  { title: "RetrievalSettings" },
);
export type RetrievalSettings = Static<typeof RetrievalSettings>;

/** Settings of a request. Omitted settings default to the index's. */
export const RetrievalOverrides = Type.Partial(RetrievalSettings, {
  title: "RetrievalOverrides",
  ...STRICT_OPTIONS,
});
export type RetrievalOverrides = Static<typeof RetrievalOverrides>;

/** The threshold of a search, with the best score found. */
export const ThresholdReport = Type.Object({
  ...Threshold.properties,
  best: Nullable(Type.Number(), { description: "The best score found; null if no chunk was found" }),
  passed: Type.Boolean(),
});

export const RetrievalWarning = Nullable(Type.String(), {
  description: "Why the chunks may not answer the question, although they are about its topic",
});

export const DegradedSearch = Nullable(OneOf(["keyword_only", "vectors_missing", "not_reranked"]), {
  description:
    "keyword_only: the vector store is down, so only keywords were searched and no threshold applies; vectors_missing: the vector store lacks the vectors of some documents, so their chunks are found only by keywords; not_reranked: the reranker failed or no node has it any more, so the chunks have the order of the search and no threshold on the rerank score applies",
});

/** The chunks that an index found for the question of an evaluated answer. */
export const RetrievalReport = Type.Object(
  {
    threshold: Nullable(ThresholdReport),
    warning: RetrievalWarning,
    degraded: DegradedSearch,
    chunks: Type.Array(
      Type.Object({
        chunk_id: Id("chunk"),
        document_id: Id("doc"),
        document_title: Type.String(),
        page: Nullable(Type.Integer({ minimum: 1 })),
        score: Type.Number({ description: "The score that chunks are sorted by" }),
        context: Nullable(Type.Integer({ minimum: 1 }), {
          description: "Number of the context in `contexts`, from 1; null: not in the prompt",
        }),
        cited: Type.Boolean(),
      }),
      { description: "The `top_k` chunks, best first" },
    ),
    grounded: Nullable(Share("Fraction of the answer's sentences that the contexts support"), {
      description: "null: no sentence makes a claim",
    }),
    stages_ms: Type.Record(Type.String(), Type.Number({ minimum: 0 }), {
      description: "Duration of each stage that ran, in milliseconds",
    }),
  },
  { title: "RetrievalReport" },
);
export type RetrievalReport = Static<typeof RetrievalReport>;

/**
 * A passage that supports part of the answer. Offsets are UTF-16. `answer_start` and `answer_end` enclose the marker, or
 * the sentence if Groundwire found the citation.
 */
export const Citation = Type.Object(
  {
    marker: Type.Integer({ minimum: 1, description: "Number of the context, the n of [n] in the answer" }),
    found_by: OneOf(["model", "groundwire"], {
      description: "model: the model wrote the marker; groundwire: the best passage for a sentence without a marker",
    }),
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
