import type { RetrievalSettings } from "../../retrieval-contract";

/** Retrieval settings of a new index. */
export const DEFAULT_RETRIEVAL: RetrievalSettings = {
  mode: "hybrid",
  fusion: "score",
  vector_weight: 0.5,
  candidates: 50,
  top_k: 5,
  rerank: false,
  threshold: { score: "vector", value: 0.3 },
  max_context_tokens: 1500,
  fallback_text: "The documents don't answer this question.",
};

/** Chunk length in tokens, if the embedding model can read that many. */
export const DEFAULT_CHUNK_TOKENS = 256;
/** Share of a chunk that it repeats from the previous one. */
export const DEFAULT_OVERLAP = 1 / 8;
