import type { Metadata, MetadataFilter } from "./metadata-filter";

/**
 * A vector store outside the gateway, for vectors that don't fit into its memory. The default search
 * (`gateway/rag/search/`) doesn't implement this port: it keeps the words and vector of a chunk together, so one
 * message to its Worker returns both scores of every candidate. A port would need three.
 *
 * A namespace is created by its first upsert. Every method throws unavailable if the store can't be reached or is
 * overloaded, conflict if a vector has a different dimension than the store, and upstream_error if it rejects the
 * request for another reason.
 */
export interface VectorStore {
  /** Identifies the store in the database. It is the same in every process that uses the store. */
  readonly id: string;
  /** Checks that the store can be used. Also throws upstream_error if its scores aren't cosines. */
  check(): Promise<void>;
  /** Adds vectors, or replaces those with the same id. A remote store may need seconds before queries find them. */
  upsert(namespace: string, vectors: StoredVector[]): Promise<void>;
  /** Returns the number of deleted vectors. Ignores unknown ids. */
  delete(namespace: string, selection: { ids: string[] } | { prefix: string }): Promise<number>;
  /** The closest vectors, best first. With a selective filter, a remote store may return fewer than `topK`. */
  query(namespace: string, query: VectorQuery): Promise<VectorMatch[]>;
  /** A page of all vectors, in a stable order. `cursor` comes from the previous page; null for the first. */
  range(namespace: string, page: { cursor: string | null; limit: number }): Promise<VectorPage>;
  /** Deletes the namespace with all its vectors. Ignores an unknown one. */
  drop(namespace: string): Promise<void>;
}

export interface StoredVector {
  id: string;
  /** L2-normalised; all vectors of a store have the same dimension. */
  vector: Float32Array;
  metadata: Metadata;
}

export interface VectorQuery {
  /** L2-normalised. */
  vector: Float32Array;
  /** 1 to 1000. */
  topK: number;
  filter: MetadataFilter | null;
}

export interface VectorMatch {
  id: string;
  /** Cosine, -1 to 1. */
  score: number;
}

interface VectorPage {
  vectors: StoredVector[];
  /** Null on the last page. */
  cursor: string | null;
}
