import { AppError } from "../../../lib/errors";
import type { Search as SearchPort } from "../query/retrieve";

/** A search that uses only keywords while `isKeywordOnly`, as it does when the vector store is down. */
export const drilledSearch = (search: SearchPort, isKeywordOnly: () => boolean): SearchPort => ({
  search: (version, request, signal) => {
    if (!isKeywordOnly() || request.vector === null) return search.search(version, request, signal);
    if (request.mode === "vector") return Promise.reject(noVectors());
    const byKeyword = search.search(version, { ...request, mode: "keyword", vector: null }, signal);
    return byKeyword.then((result) => ({ ...result, isKeywordOnly: true }));
  },
});

const noVectors = (): AppError =>
  new AppError(
    "unavailable",
    "Searches use only keywords, because an admin is running a drill (keyword_only). Use keyword or hybrid mode.",
    { retryAfterMs: 5000 },
  );
