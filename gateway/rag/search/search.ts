import type { Metadata, MetadataFilter } from "../../ports/metadata-filter";
import type { Fusion } from "./fusion";

/* The inputs and results of a search. */

/** A chunk to index. */
export interface SearchEntry {
  id: string;
  /** Title, heading path and text: the words that keyword search finds. */
  text: string;
  title: string;
  heading: string;
  /** L2-normalised; null if a vector store has it. */
  vector: Float32Array | null;
  metadata: Metadata;
}

/** The new content of a document. Without entries, the document is removed. */
export interface DocumentChange {
  id: string;
  entries: SearchEntry[];
}

export interface Search {
  text: string;
  /** L2-normalised. null, allowed only in keyword mode: no vector scores. */
  vector: Float32Array | null;
  /**
   * The closest vectors in a vector store, as ids of chunks with their documents. Undefined: the index has the vectors
   * itself.
   */
  matches?: readonly { document: string; chunk: string }[];
  /** The retrievers whose candidates are returned. */
  mode: "hybrid" | "vector" | "keyword";
  /** Chunks that each retriever contributes. */
  candidates: number;
  /** Applied before ranking. */
  filter: MetadataFilter | null;
  /** Used only in hybrid mode. */
  fusion: Fusion;
}

/** null if the score was not computed, or the chunk is not one of the retriever's candidates. */
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
  /** Candidates of all retrievers, best first. In hybrid mode up to twice `candidates`. */
  hits: SearchHit[];
  /** Number of chunks that passed the filter. */
  searched: number;
  /**
   * The largest fraction of the question's words, weighted by rarity, that one of the first 5 hits contains, from 0 to 1;
   * null without a vector.
   */
  coverage: number | null;
  stagesMs: { filter: number; vector: number; keyword: number; fusion: number };
}
