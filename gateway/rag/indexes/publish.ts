import { hideBuilds, showBuilds } from "../../../db/builds";
import type { Tx } from "../../../db/client";
import { type DocumentRow, deleteDocument, findDocument, insertText, updateDocument } from "../../../db/documents";
import { listLiveVersions, raiseRevision } from "../../../db/indexes";

type DocumentKey = Pick<DocumentRow, "indexId" | "jobId"> & { documentId: string };

/** The new content of a document, with the fields that are shown. */
export interface NewContent extends Pick<DocumentRow, "title" | "source" | "mediaType" | "metadata" | "fileHash"> {
  text: string;
  /** UTF-16 offset of each page. */
  pages: number[];
  /** sha256 of `text`. */
  hash: string;
}

export interface StagedBuild {
  id: string;
  version: number;
}

/** incomplete: a live version has no staged build yet. gone: the document was deleted, or a newer job owns it. */
type Published = "published" | "incomplete" | "gone";

/** Replaces a document's visible content by its staged content, in all versions in one step. */
export const publishDocument = async (
  tx: Tx,
  { indexId, documentId, jobId }: DocumentKey,
  { text, pages, hash, ...shown }: NewContent,
  builds: readonly StagedBuild[],
  now: Date,
): Promise<Published> => {
  const live = await listLiveVersions(tx, indexId);
  if (live.some(({ version }) => !builds.some((build) => build.version === version))) return "incomplete";
  const key = { indexId, id: documentId, jobId };
  const done = { state: "ready", error: null, pending: null, pendingHash: null, uploadId: null } as const;
  const content = { ...shown, contentHash: hash, characters: text.length };
  if (!(await updateDocument(tx, key, { ...content, ...done, updatedAt: now }))) return "gone";
  const revision = await raiseRevision(tx, indexId, now);
  if (revision === undefined) return "gone";
  await insertText(tx, { indexId, documentId, hash, text, pages });
  // A version that was retired meanwhile gets no more documents. Its build is deleted like any of an ended job.
  const wanted = builds.filter(({ version }) => live.some((each) => each.version === version));
  await showBuilds(tx, { indexId, documentId, revision }, wanted);
  return "published";
};

/** Adds a document's build to a new version. False if the version has failed, or the text is no longer that of the hash. */
export const publishBuild = async (
  tx: Tx,
  { indexId, documentId }: Omit<DocumentKey, "jobId">,
  hash: string,
  build: StagedBuild,
  now: Date,
): Promise<boolean> => {
  const live = await listLiveVersions(tx, indexId);
  if (!live.some(({ version }) => version === build.version)) return false;
  if ((await findDocument(tx, indexId, documentId))?.contentHash !== hash) return false;
  const revision = await raiseRevision(tx, indexId, now);
  if (revision === undefined) return false;
  await showBuilds(tx, { indexId, documentId, revision }, [build]);
  return true;
};

/** Deletes a document with its texts, and hides its chunks. Returns false if the index was deleted. */
export const unpublishDocument = async (
  tx: Tx,
  { indexId, documentId }: Omit<DocumentKey, "jobId">,
  now: Date,
): Promise<boolean> => {
  const revision = await raiseRevision(tx, indexId, now);
  if (revision === undefined) return false;
  await hideBuilds(tx, { indexId, documentId, revision });
  await deleteDocument(tx, indexId, documentId);
  return true;
};
