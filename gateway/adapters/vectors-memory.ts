import { dotProduct } from "../../lib/vectors";
import { passes } from "../ports/metadata-filter";
import type { StoredVector, VectorStore } from "../ports/vectors";

/** An exact vector store for tests; slow with many vectors. */
export const memoryVectors = (): VectorStore => {
  const namespaces = new Map<string, Map<string, StoredVector>>();
  const vectorsOf = (namespace: string) => namespaces.getOrInsertComputed(namespace, () => new Map());

  return {
    id: "memory",
    check: async () => {},
    upsert: async (namespace, vectors) => {
      for (const vector of vectors) vectorsOf(namespace).set(vector.id, vector);
    },
    delete: async (namespace, selection) => {
      const vectors = vectorsOf(namespace);
      const ids =
        "ids" in selection ? selection.ids : [...vectors.keys()].filter((id) => id.startsWith(selection.prefix));
      return ids.filter((id) => vectors.delete(id)).length;
    },
    query: async (namespace, { vector, topK, filter }) =>
      [...vectorsOf(namespace).values()]
        .filter(({ metadata }) => !filter || passes(filter, metadata))
        .map((stored) => ({ id: stored.id, score: dotProduct(stored.vector, vector) }))
        .sort((a, b) => b.score - a.score)
        .slice(0, topK),
    range: async (namespace, { cursor, limit }) => {
      const from = Number(cursor ?? 0);
      const vectors = [...vectorsOf(namespace).values()];
      const next = from + limit;
      return { vectors: vectors.slice(from, next), cursor: next < vectors.length ? String(next) : null };
    },
    drop: async (namespace) => void namespaces.delete(namespace),
  };
};
