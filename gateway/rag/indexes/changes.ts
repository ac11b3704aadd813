import { type IndexChange, listChanges } from "../../../db/builds";
import { listSearchChunks, type SearchChunk } from "../../../db/chunks";
import type { Reads } from "../../../db/client";
import { findIndexRevision } from "../../../db/indexes";

/** Attempts to read a page. A document may be replaced during the read, but hardly this often in a row. */
const MAX_TRIES = 10;
/** Maximum chunks per page, unless a single document has more. */
const MAX_CHUNKS = 300;
const MAX_DOCUMENTS = 200;

/** The new content of a document. A deleted document has no chunks. */
interface ChangedDocument {
  id: string;
  title: string;
  metadata: Record<string, unknown>;
  chunks: SearchChunk[];
}

interface ChangePage {
  /** All changes up to this revision are on this page or earlier ones. */
  revision: number;
  documents: ChangedDocument[];
  /** There were no further changes when the page was read. */
  isLast: boolean;
}

interface Version {
  indexId: string;
  version: number;
}

/**
 * The next page of changes after `afterRevision` (0 for all documents) in a version; undefined if the index was deleted.
 * Documents are complete and have their newest content.
 */
export const loadChanges = async (
  db: Reads,
  place: Version,
  afterRevision: number,
  readChunks = listSearchChunks,
): Promise<ChangePage | undefined> => {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    // The revision is read first, because the list may miss later changes.
    const index = await findIndexRevision(db, place.indexId);
    if (!index) return undefined;
    const listed = await listChanges(db, place, afterRevision, MAX_DOCUMENTS);
    const changes = firstChunks(listed);
    const documents = await Promise.all(changes.map((change) => readDocument(db, change, readChunks)));
    const whole = documents.filter((document) => document !== undefined);
    // If a document is incomplete, it was just replaced, so the list is stale.
    if (whole.length < documents.length) continue;
    const last = changes.at(-1)?.revision ?? afterRevision;
    const isLast = changes.length === listed.length && listed.length < MAX_DOCUMENTS;
    return { revision: isLast ? Math.max(index.revision, last) : last, documents: whole, isLast };
  }
  throw new Error(`The index ${place.indexId} has documents whose chunks are missing.`);
};

/** The first changes, up to `MAX_CHUNKS` chunks in total, but at least one change. */
const firstChunks = (changes: readonly IndexChange[]): IndexChange[] => {
  let chunks = 0;
  const end = changes.findIndex((change, index) => {
    chunks += change.chunks;
    return index > 0 && chunks > MAX_CHUNKS;
  });
  return changes.slice(0, end === -1 ? changes.length : end);
};

/** Returns undefined if the chunks are being deleted. */
const readDocument = async (
  db: Reads,
  { documentId: id, buildId, title, metadata, chunks: count }: IndexChange,
  readChunks: typeof listSearchChunks,
): Promise<ChangedDocument | undefined> => {
  const chunks = buildId === null ? [] : await readChunks(db, buildId, { position: 0, limit: count });
  return buildId !== null && chunks.length < count ? undefined : { id, title, metadata, chunks };
};
