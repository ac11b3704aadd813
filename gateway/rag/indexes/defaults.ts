import type { RetrievalSettings } from "../../retrieval-contract";

/** Retrieval settings of a new index. They were chosen by the measurements in docs/rag.md. */
export const DEFAULT_RETRIEVAL = {
  mode: "hybrid",
  fusion: "score",
  vector_weight: 0.6,
  candidates: 50,
  top_k: 5,
  rerank: false,
  threshold: { score: "relevance", value: 0.5 },
  max_context_tokens: 1500,
  fallback_text: "The documents don't answer this question.",
} satisfies RetrievalSettings;

/** Chunk length in tokens, unless the embedding model's context is shorter. */
export const DEFAULT_CHUNK_TOKENS = 256;
/** Fraction of a chunk that repeats the previous one. */
export const DEFAULT_OVERLAP = 1 / 8;
