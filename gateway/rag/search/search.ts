import type { Metadata, MetadataFilter } from "../../ports/metadata-filter";
import type { Fusion } from "./fusion";

/* What is indexed, asked and found. */

/** A chunk as it is searched. */
export interface SearchEntry {
  id: string;
  /** Title, heading path and text: the words that keyword search finds. */
  text: string;
  title: string;
  heading: string;
  /** L2-normalised. */
  vector: Float32Array;
  metadata: Metadata;
}

/** The new content of a document; without entries, it is removed. */
export interface DocumentChange {
  id: string;
  entries: SearchEntry[];
}

export interface Search {
  text: string;
  /** L2-normalised. Null: no vector scores, only for mode keyword. */
  vector: Float32Array | null;
  /** The retrievers whose candidates are returned. */
  mode: "hybrid" | "vector" | "keyword";
  /** Chunks that each retriever contributes. */
  candidates: number;
  /** Acts before ranking. */
  filter: MetadataFilter | null;
  /** Only for mode hybrid. */
  fusion: Fusion;
}

/** `null` if the score was not computed, or the chunk is not among the retriever's candidates. */
interface PerRetriever {
  vector: number | null;
  keyword: number | null;
  fused: number | null;
}

export interface SearchHit {
  id: string;
  document: string;
  /** Cosine; BM25; fused, 0 to 1. */
  scores: PerRetriever;
  /** From 1. */
  ranks: PerRetriever;
}

export interface SearchResult {
  /** Candidates of all retrievers, best first. In mode hybrid up to twice `candidates`. */
  hits: SearchHit[];
  /** Chunks that passed the filter. */
  searched: number;
  /**
   * The largest share of the question's words, weighted by rarity, that one of the first 5 hits contains, 0 to 1. null
   * without a vector.
   */
  coverage: number | null;
  stagesMs: { filter: number; vector: number; keyword: number; fusion: number };
}
