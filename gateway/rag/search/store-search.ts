import { toAppError } from "../../../lib/errors";
import type { VectorMatch } from "../../ports/vectors";
import { chunkOf, namespaceOf } from "../indexes/uploaded-vectors";
import type { MonitoredVectors } from "./monitored-vectors";
import type { Search, SearchResult } from "./search";
import type { SearchedVersion, SearchThread } from "./search-thread";

/**
 * Searches with the vectors of a vector store and the words in the gateway's memory. The search Worker drops matches whose
 * chunk is not visible in the version. If the store is down, a hybrid search uses only keywords, and a vector search
 * throws unavailable.
 */
export const storeSearch = (thread: SearchThread, vectors: MonitoredVectors) => {
  /** Returns undefined if the search must use only keywords. */
  const findMatches = async (
    { index: indexId, version }: SearchedVersion,
    { mode, candidates: topK, filter }: Search,
    vector: Float32Array,
  ): Promise<VectorMatch[] | undefined> => {
    try {
      return await vectors.query(namespaceOf({ indexId, version }), { vector, topK, filter });
    } catch (thrown) {
      const { kind } = toAppError(thrown);
      if (mode === "hybrid" && (kind === "unavailable" || kind === "upstream_error")) return undefined;
      throw thrown;
    }
  };

  return {
    async search(
      version: SearchedVersion,
      search: Search,
      signal?: AbortSignal,
    ): Promise<SearchResult & { isKeywordOnly?: boolean }> {
      if (search.vector === null) return thread.search(version, search, signal);
      const startedAt = performance.now();
      const found = await findMatches(version, search, search.vector);
      const queryMs = performance.now() - startedAt;
      if (!found) {
        const byKeyword = await thread.search(version, { ...search, mode: "keyword", vector: null }, signal);
        return { ...byKeyword, isKeywordOnly: true };
      }
      const matches = found.map(({ id }) => chunkOf(id));
      const result = await thread.search(version, { ...search, matches }, signal);
      return { ...result, stagesMs: { ...result.stagesMs, vector: result.stagesMs.vector + queryMs } };
    },
  };
};
