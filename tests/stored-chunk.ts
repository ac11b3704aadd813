import type { StoredChunk } from "../gateway/rag/query/merge";

/** A chunk of `text` from `start` to `end`, for tests. */
export const chunkOf = (text: string, start = 0, end = text.length, rest: Partial<StoredChunk> = {}): StoredChunk => ({
  id: `chunk_${rest.documentId ?? "a"}_${start}`,
  documentId: "doc_a",
  documentTitle: "Leave",
  documentHash: "hash",
  source: "leave.md",
  metadata: {},
  position: 0,
  text: text.slice(start, end),
  start,
  end,
  heading: null,
  page: null,
  tokens: 10,
  pages: [],
  ...rest,
});
