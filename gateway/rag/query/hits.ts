import type { StoredChunk } from "./merge";

/** A chunk that a search found, without its text. */
export interface Hit {
  id: string;
  /** Id of the chunk's document. */
  document: string;
  /** null if the retriever did not run or did not find the chunk. `fused` and `rerank` are from 0 to 1. */
  scores: { vector: number | null; keyword: number | null; fused: number | null; rerank?: number };
  /** From 1. */
  ranks: { vector: number | null; keyword: number | null; fused: number | null };
}

export interface Chunks {
  /** The visible chunks with these ids, in any order. Chunks that were deleted since the search are left out. */
  read(index: { id: string; version: number }, ids: readonly string[]): Promise<StoredChunk[]>;
}
