import { findVectors } from "../../../db/chunks";
import { type DbOptions, openReads } from "../../../db/client";
import { findIndexRevision } from "../../../db/indexes";
import type { Metadata } from "../../ports/metadata-filter";
import { loadChanges } from "../indexes/changes";
import { type LoadChanges, serveSearch } from "./serve-search";

/** The JSON in the last argument of the search Worker. */
export interface SearchWorkerOptions {
  database: DbOptions;
  /** A vector store has the vectors, so they are not kept in memory. */
  hasVectorStore: boolean;
}

const [argument = "{}"] = process.argv.slice(-1);
const { database, hasVectorStore } = JSON.parse(argument) as SearchWorkerOptions;
const reads = openReads(database);

const loadPage: LoadChanges = async (indexId, version, afterRevision) => {
  const page = await loadChanges(await reads, { indexId, version }, afterRevision);
  // The index was deleted. The waiting search fails when it reads the chunks.
  if (!page) return { revision: Number.MAX_SAFE_INTEGER, documents: [], isLast: true };
  const documents = page.documents.map(({ id, title, metadata, chunks }) => ({
    id,
    entries: chunks.map(({ id, heading, searchText, vector }) => ({
      id,
      text: searchText,
      title,
      heading: heading ?? "",
      vector: hasVectorStore ? null : vector,
      metadata: metadata as Metadata,
    })),
  }));
  return { revision: page.revision, documents, isLast: page.isLast };
};

serveSearch(loadPage, {
  readVectors: hasVectorStore ? async (ids) => findVectors(await reads, ids) : undefined,
  findUse: async (indexId, version) => {
    const index = await findIndexRevision(await reads, indexId);
    if (!index) return "deleted";
    return index.activeVersion === version ? "active" : "inactive";
  },
});
