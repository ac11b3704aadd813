import { type DbOptions, openReads } from "../../../db/client";
import type { Metadata } from "../../ports/metadata-filter";
import { loadChanges } from "../indexes/changes";
import { serveSearch } from "./serve-search";

/* Entry point of the search Worker. Its last argument is JSON with the database to read. */

const [options = "{}"] = process.argv.slice(-1);
const reads = openReads(JSON.parse(options) as DbOptions);

serveSearch(async (indexId, version, afterRevision) => {
  const page = await loadChanges(await reads, { indexId, version }, afterRevision);
  // The index was deleted. The waiting search fails when it reads the chunks.
  if (!page) return { revision: Number.MAX_SAFE_INTEGER, documents: [] };
  const documents = page.documents.map(({ id, title, metadata, chunks }) => ({
    id,
    entries: chunks.map(({ id, heading, searchText, vector }) => ({
      id,
      text: searchText,
      title,
      heading: heading ?? "",
      vector,
      metadata: metadata as Metadata,
    })),
  }));
  return { revision: page.revision, documents };
});
