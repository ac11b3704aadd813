import type { StoredChunk } from "./merge";

/** A chunk that a search found, without its text. */
export interface Hit {
  id: string;
  /** Id of the chunk's document. */
  document: string;
  /** Null if the retriever did not run or did not find the chunk. `fused` and `rerank` are in 0…1. */
  scores: { vector: number | null; keyword: number | null; fused: number | null; rerank?: number };
  /** From 1. */
  ranks: { vector: number | null; keyword: number | null; fused: number | null };
}

export interface Chunks {
  /** The visible chunks with these ids, in any order. Chunks deleted since the search are left out. */
  read(index: { id: string; version: number }, ids: readonly string[]): Promise<StoredChunk[]>;
}
