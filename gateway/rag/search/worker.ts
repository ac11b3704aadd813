import { type DbOptions, openReads } from "../../../db/client";
import type { Metadata } from "../../ports/metadata-filter";
import { loadChanges } from "../indexes/changes";
import { serveSearch } from "./serve-search";

/* Entry of the search Worker. Its last argument is the database to read, as JSON. */

const [options = "{}"] = process.argv.slice(-1);
const reads = openReads(JSON.parse(options) as DbOptions);

serveSearch(async (indexId, version, afterRevision) => {
  const page = await loadChanges(await reads, { indexId, version }, afterRevision);
  // The index was deleted: the search that waits for it fails when its chunks are read.
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
