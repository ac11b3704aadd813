import { and, asc, eq, gt, inArray, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { chunks, chunkVectors, documentBuilds, documents, documentTexts, indexes, jobs } from "./schema";

type BuildRow = typeof documentBuilds.$inferSelect;
type ChunkRow = typeof chunks.$inferSelect;
export type NewChunk = Omit<ChunkRow, "buildId"> & { vector: Float32Array };

/** Rows of one INSERT: SQLite accepts 32,766 values per statement. */
const INSERT_ROWS = 500;

const toBlob = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

/** Copies, because a buffer from the driver may not be aligned for numbers. */
const fromBlob = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);

/** Starts a build, which stays invisible until `showBuilds`. */
export const insertBuild = async (
  tx: Tx,
  row: Pick<BuildRow, "id" | "indexId" | "version" | "documentId" | "jobId" | "contentHash">,
): Promise<void> => {
  await tx.insert(documentBuilds).values({ ...row, state: "staging" });
};

/** Adds chunks with their vectors to a staged build. */
export const insertChunks = async (tx: Tx, buildId: string, rows: readonly NewChunk[]): Promise<void> => {
  for (let i = 0; i < rows.length; i += INSERT_ROWS) {
    const some = rows.slice(i, i + INSERT_ROWS);
    await tx.insert(chunks).values(some.map(({ vector: _, ...chunk }) => ({ ...chunk, buildId })));
    await tx.insert(chunkVectors).values(some.map(({ id, vector }) => ({ chunkId: id, vector: toBlob(vector) })));
  }
  const sum = (of: (row: NewChunk) => number) => rows.reduce((total, row) => total + of(row), 0);
  const size = ({ text, searchText, vector }: NewChunk) =>
    Buffer.byteLength(text) + Buffer.byteLength(searchText) + vector.byteLength;
  await tx
    .update(documentBuilds)
    .set({
      chunks: sql`${documentBuilds.chunks} + ${rows.length}`,
      tokens: sql`${documentBuilds.tokens} + ${sum(({ tokens }) => tokens)}`,
      sizeBytes: sql`${documentBuilds.sizeBytes} + ${sum(size)}`,
    })
    .where(eq(documentBuilds.id, buildId));
};

const isDocument = (indexId: string, documentId: string): SQL | undefined =>
  and(eq(documentBuilds.indexId, indexId), eq(documentBuilds.documentId, documentId));

/** Makes staged builds of one document visible at `revision`, in place of those of the same versions. */
export const showBuilds = async (
  tx: Tx,
  { indexId, documentId, revision }: { indexId: string; documentId: string; revision: number },
  builds: readonly { id: string; version: number }[],
): Promise<void> => {
  const versions = builds.map(({ version }) => version);
  await tx
    .update(documentBuilds)
    .set({ state: "replaced" })
    .where(
      and(
        isDocument(indexId, documentId),
        eq(documentBuilds.state, "visible"),
        inArray(documentBuilds.version, versions),
      ),
    );
  const ids = builds.map(({ id }) => id);
  await tx.update(documentBuilds).set({ state: "visible", revision }).where(inArray(documentBuilds.id, ids));
};

/** Hides every build of a document at `revision`. The rows stay as entries of the change log. */
export const hideBuilds = async (
  tx: Tx,
  { indexId, documentId, revision }: { indexId: string; documentId: string; revision: number },
): Promise<void> => {
  await tx
    .update(documentBuilds)
    .set({ state: "deleted", revision })
    .where(and(isDocument(indexId, documentId), eq(documentBuilds.state, "visible")));
};

/** Hides every build of a version, which no longer answers. */
export const dropBuilds = async (
  tx: Tx,
  { indexId, version }: Pick<BuildRow, "indexId" | "version">,
): Promise<void> => {
  await tx.update(documentBuilds).set({ state: "replaced" }).where(ofVersion(indexId, version));
};

/** One entry of an index's change log. `buildId` is null for a deleted document. */
export interface IndexChange {
  revision: number;
  documentId: string;
  buildId: string | null;
  /** Chunks of the build. If fewer are found, the document has changed again: a later entry says how. */
  chunks: number;
  title: string;
  metadata: Record<string, unknown>;
}

/**
 * Changes of a version after `afterRevision`, oldest first. Each document has at most one entry with a build. From
 * revision 0, these are all documents of the version.
 */
export const listChanges = async (
  db: Reads,
  { indexId, version }: Pick<BuildRow, "indexId" | "version">,
  afterRevision: number,
  limit: number,
): Promise<IndexChange[]> => {
  const states = afterRevision === 0 ? (["visible"] as const) : (["visible", "deleted"] as const);
  const rows = await db
    .select({ build: documentBuilds, title: documents.title, metadata: documents.metadata })
    .from(documentBuilds)
    .leftJoin(
      documents,
      and(eq(documents.indexId, documentBuilds.indexId), eq(documents.id, documentBuilds.documentId)),
    )
    .where(
      and(
        eq(documentBuilds.indexId, indexId),
        eq(documentBuilds.version, version),
        gt(documentBuilds.revision, afterRevision),
        inArray(documentBuilds.state, [...states]),
      ),
    )
    .orderBy(asc(documentBuilds.revision))
    .limit(limit);
  return rows.map(({ build, title, metadata }) => ({
    revision: build.revision ?? 0,
    documentId: build.documentId,
    buildId: build.state === "visible" ? build.id : null,
    chunks: build.chunks,
    title: title ?? "",
    metadata: metadata ?? {},
  }));
};

/** What a search structure needs of a chunk. */
export interface SearchChunk {
  id: string;
  position: number;
  heading: string | null;
  searchText: string;
  sha256: string;
  vector: Float32Array;
}

/** Chunks of a build with their vectors in order, from `position` on. */
export const listSearchChunks = async (
  db: Reads,
  buildId: string,
  { position, limit }: { position: number; limit: number },
): Promise<SearchChunk[]> => {
  const rows = await db
    .select({
      id: chunks.id,
      position: chunks.position,
      heading: chunks.heading,
      searchText: chunks.searchText,
      sha256: chunks.sha256,
      vector: chunkVectors.vector,
    })
    .from(chunks)
    .innerJoin(chunkVectors, eq(chunkVectors.chunkId, chunks.id))
    .where(and(eq(chunks.buildId, buildId), sql`${chunks.position} >= ${position}`))
    .orderBy(asc(chunks.position))
    .limit(limit);
  return rows.map(({ vector, ...chunk }) => ({ ...chunk, vector: fromBlob(vector) }));
};

const ofVersion = (indexId: string, version: number): SQL | undefined =>
  and(eq(documentBuilds.indexId, indexId), eq(documentBuilds.version, version), eq(documentBuilds.state, "visible"));

export type VisibleChunk = ChunkRow & { documentId: string };

/** A chunk with what an answer shows of its document. */
export type Passage = VisibleChunk &
  Pick<typeof documents.$inferSelect, "title" | "source" | "metadata"> &
  Pick<typeof documentTexts.$inferSelect, "pages"> & { contentHash: string };

/** Visible chunks of a version with these ids (at most 30,000), in any order. */
export const listPassages = async (
  db: Reads,
  { indexId, version }: Pick<BuildRow, "indexId" | "version">,
  ids: readonly string[],
): Promise<Passage[]> => {
  if (ids.length === 0) return [];
  const { indexId: index, documentId, contentHash } = documentBuilds;
  const isIts = and(eq(documentTexts.indexId, index), eq(documentTexts.documentId, documentId));
  const rows = await db
    .select({
      chunk: chunks,
      documentId,
      contentHash,
      title: documents.title,
      source: documents.source,
      metadata: documents.metadata,
      pages: documentTexts.pages,
    })
    .from(chunks)
    .innerJoin(documentBuilds, eq(documentBuilds.id, chunks.buildId))
    .innerJoin(documents, and(eq(documents.indexId, index), eq(documents.id, documentId)))
    .innerJoin(documentTexts, and(isIts, eq(documentTexts.hash, contentHash)))
    .where(and(inArray(chunks.id, [...ids]), ofVersion(indexId, version)));
  return rows.map(({ chunk, ...rest }) => ({ ...chunk, ...rest }));
};

/** Visible chunks of a document in order, after `position`. */
export const listChunks = async (
  db: Reads,
  { indexId, version, documentId }: Pick<BuildRow, "indexId" | "version" | "documentId">,
  { limit, after = -1 }: { limit: number; after?: number },
): Promise<VisibleChunk[]> => {
  const rows = await db
    .select({ chunk: chunks, documentId: documentBuilds.documentId })
    .from(documentBuilds)
    .innerJoin(chunks, eq(chunks.buildId, documentBuilds.id))
    .where(and(ofVersion(indexId, version), eq(documentBuilds.documentId, documentId), gt(chunks.position, after)))
    .orderBy(asc(chunks.position))
    .limit(limit);
  return rows.map(({ chunk, documentId: id }) => ({ ...chunk, documentId: id }));
};

/** Numbers of chunks of these documents in a version, by document. */
export const findChunkCounts = async (
  db: Reads,
  { indexId, version }: Pick<BuildRow, "indexId" | "version">,
  documentIds: readonly string[],
): Promise<Map<string, number>> => {
  const rows = await db
    .select({ id: documentBuilds.documentId, chunks: documentBuilds.chunks })
    .from(documentBuilds)
    .where(and(ofVersion(indexId, version), inArray(documentBuilds.documentId, [...documentIds])));
  return new Map(rows.map(({ id, chunks: count }) => [id, count]));
};

/** The visible build of a document in a version. */
export const findVisibleBuild = (
  db: Reads,
  { indexId, version, documentId }: Pick<BuildRow, "indexId" | "version" | "documentId">,
): Promise<BuildRow | undefined> =>
  db
    .select()
    .from(documentBuilds)
    .where(and(ofVersion(indexId, version), eq(documentBuilds.documentId, documentId)))
    .get();

/** Vectors of a build's chunks with these hashes, by hash. */
export const findVectorsByHash = async (
  db: Reads,
  buildId: string,
  hashes: readonly string[],
): Promise<Map<string, Float32Array>> => {
  const rows = await db
    .select({ sha256: chunks.sha256, vector: chunkVectors.vector })
    .from(chunks)
    .innerJoin(chunkVectors, eq(chunkVectors.chunkId, chunks.id))
    .where(and(eq(chunks.buildId, buildId), inArray(chunks.sha256, [...hashes])));
  return new Map(rows.map(({ sha256, vector }) => [sha256, fromBlob(vector)]));
};

/** Builds that no reader needs: replaced, deleted, staged by an ended job, or of a deleted index. */
export const listDoomedBuilds = async (db: Reads, limit: number): Promise<string[]> => {
  const builds = () => db.select({ id: documentBuilds.id }).from(documentBuilds);
  const isOver = or(isNull(jobs.id), isNotNull(jobs.endedAt));
  const hasEnded = and(eq(documentBuilds.state, "deleted"), gt(documentBuilds.chunks, 0));
  const isAbandoned = and(eq(documentBuilds.state, "staging"), isOver);
  // One query each, so that each uses an index.
  const queries = [
    builds().where(eq(documentBuilds.state, "replaced")).limit(limit),
    builds().where(hasEnded).limit(limit),
    builds().leftJoin(jobs, eq(jobs.id, documentBuilds.jobId)).where(isAbandoned).limit(limit),
    builds()
      .innerJoin(indexes, eq(indexes.id, documentBuilds.indexId))
      .where(isNotNull(indexes.deletedAt))
      .limit(limit),
  ];
  const found = await Promise.all(queries);
  return [...new Set(found.flat().map(({ id }) => id))];
};

/** Builds that earlier tries of a task have staged. */
export const listStagedBuilds = async (
  db: Reads,
  { indexId, documentId, jobId }: Pick<BuildRow, "indexId" | "documentId" | "jobId">,
): Promise<string[]> => {
  const rows = await db
    .select({ id: documentBuilds.id })
    .from(documentBuilds)
    .where(and(isDocument(indexId, documentId), eq(documentBuilds.jobId, jobId), eq(documentBuilds.state, "staging")));
  return rows.map(({ id }) => id);
};

/**
 * Deletes up to `limit` chunks of a build with their vectors, then the build; an entry of the change log stays as long as
 * its index. True when everything is deleted.
 */
export const deleteBuildPart = (db: Pick<Db, "write">, buildId: string, limit: number): Promise<boolean> =>
  db.write(async (tx) => {
    const some = tx.select({ id: chunks.id }).from(chunks).where(eq(chunks.buildId, buildId)).limit(limit);
    const gone = await tx.delete(chunks).where(inArray(chunks.id, some)).returning({ id: chunks.id });
    if (gone.length === limit) return false;
    const isEntry = and(
      eq(documentBuilds.state, "deleted"),
      sql`EXISTS (SELECT 1 FROM indexes WHERE indexes.id = document_builds.index_id AND deleted_at IS NULL)`,
    );
    await tx.delete(documentBuilds).where(and(eq(documentBuilds.id, buildId), sql`NOT (${isEntry})`));
    await tx.update(documentBuilds).set({ chunks: 0 }).where(eq(documentBuilds.id, buildId));
    return true;
  });
