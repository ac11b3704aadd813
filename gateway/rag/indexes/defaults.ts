import { AppError } from "../../../lib/errors";
import type { RetrievalOverrides, RetrievalSettings } from "../../retrieval-contract";

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

/** Default number of chunks that are reranked. */
export const DEFAULT_RERANK_CANDIDATES = 20;

/** The default threshold of reranked searches, whose scores are probabilities. */
const RERANK_THRESHOLD = { score: "rerank", value: 0.5 } as const;

/** The threshold of a new index. */
export const defaultThreshold = ({ rerank }: Pick<RetrievalSettings, "rerank">) =>
  rerank ? RERANK_THRESHOLD : DEFAULT_RETRIEVAL.threshold;

/**
 * Applies changes to settings. Switching reranking on also moves the threshold to the rerank score, and switching it off
 * moves it back to the default, unless the changes set a threshold. Throws invalid_request for a threshold on the rerank
 * score without reranking.
 */
export const mergeRetrieval = (settings: RetrievalSettings, changes: RetrievalOverrides = {}): RetrievalSettings => {
  const merged = { ...settings, ...changes };
  const isSwitched = merged.rerank !== settings.rerank;
  const mustMove = merged.rerank ? settings.threshold !== null : settings.threshold?.score === "rerank";
  if (isSwitched && mustMove && changes.threshold === undefined) {
    return { ...merged, threshold: defaultThreshold(merged) };
  }
  if (merged.rerank || merged.threshold?.score !== "rerank") return merged;
  throw new AppError(
    "invalid_request",
    "The threshold is on the rerank score, but reranking is off. Set `rerank` to true, or `threshold` to another score.",
    { param: "retrieval.threshold.score" },
  );
};

/** Chunk length in tokens, unless the embedding model's context is shorter. */
export const DEFAULT_CHUNK_TOKENS = 256;
/** Fraction of a chunk that repeats the previous one. */
export const DEFAULT_OVERLAP = 1 / 8;
