import { type IndexChange, listChanges } from "../../../db/builds";
import { listSearchChunks, type SearchChunk } from "../../../db/chunks";
import type { Reads } from "../../../db/client";
import { findIndexRevision } from "../../../db/indexes";

/** A document may be replaced while it is read, but hardly this often in a row. */
const MAX_TRIES = 10;
/** Chunks of one page, unless a single document has more. */
const MAX_CHUNKS = 300;
const MAX_DOCUMENTS = 200;

/** The new content of a document; without chunks, it was deleted. */
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
}

interface Version {
  indexId: string;
  version: number;
}

/**
 * The next page of changes of a version after `afterRevision`, 0 for all documents; undefined if the index was deleted. Every
 * document is whole, in its newest content.
 */
export const loadChanges = async (
  db: Reads,
  place: Version,
  afterRevision: number,
  readChunks = listSearchChunks,
): Promise<ChangePage | undefined> => {
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    // Read first: later changes may be missing from the list.
    const index = await findIndexRevision(db, place.indexId);
    if (!index) return undefined;
    const listed = await listChanges(db, place, afterRevision, MAX_DOCUMENTS);
    const changes = firstChunks(listed);
    const documents = await Promise.all(changes.map((change) => readDocument(db, change, readChunks)));
    const whole = documents.filter((document) => document !== undefined);
    // A document that is not whole was replaced meanwhile, so the list is out of date.
    if (whole.length < documents.length) continue;
    const last = changes.at(-1)?.revision ?? afterRevision;
    const isLastPage = changes.length === listed.length && listed.length < MAX_DOCUMENTS;
    return { revision: isLastPage ? Math.max(index.revision, last) : last, documents: whole };
  }
  throw new Error(`The index ${place.indexId} has documents whose chunks are missing.`);
};

/** As many changes from the start as have `MAX_CHUNKS` chunks together, at least one. */
const firstChunks = (changes: readonly IndexChange[]): IndexChange[] => {
  let chunks = 0;
  const end = changes.findIndex((change, index) => {
    chunks += change.chunks;
    return index > 0 && chunks > MAX_CHUNKS;
  });
  return changes.slice(0, end === -1 ? changes.length : end);
};

/** undefined if its chunks are being deleted. */
const readDocument = async (
  db: Reads,
  { documentId: id, buildId, title, metadata, chunks: count }: IndexChange,
  readChunks: typeof listSearchChunks,
): Promise<ChangedDocument | undefined> => {
  const chunks = buildId === null ? [] : await readChunks(db, buildId, { position: 0, limit: count });
  return buildId !== null && chunks.length < count ? undefined : { id, title, metadata, chunks };
};
