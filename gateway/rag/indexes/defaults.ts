import type { RetrievalSettings } from "../../retrieval-contract";

/** Retrieval settings of a new index. docs/rag.md has the measurements that chose them. */
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

/** Chunk length in tokens, if the embedding model can read that many. */
export const DEFAULT_CHUNK_TOKENS = 256;
/** Share of a chunk that it repeats from the previous one. */
export const DEFAULT_OVERLAP = 1 / 8;
