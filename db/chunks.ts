import { and, asc, eq, gt, inArray, sql } from "drizzle-orm";
import { blocksOf } from "../lib/blocks";
import { type BuildRow, isVisibleBuild } from "./builds";
import type { Reads, Tx } from "./client";
import { INSERT_ROWS } from "./conditions";
import { chunks, chunkVectors, documentBuilds, documents, documentTexts } from "./schema";

type ChunkRow = typeof chunks.$inferSelect;
export type NewChunk = Omit<ChunkRow, "buildId"> & { vector: Float32Array };

const toBlob = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

/** Copies the bytes, because the driver's buffer may not be aligned for floats. */
const fromBlob = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);

/** Adds chunks with their vectors to a staged build. */
export const insertChunks = async (tx: Tx, buildId: string, rows: readonly NewChunk[]): Promise<void> => {
  for (const some of blocksOf(rows, INSERT_ROWS)) {
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

/** The fields of a chunk that search needs. */
export interface SearchChunk {
  id: string;
  position: number;
  heading: string | null;
  searchText: string;
  sha256: string;
  vector: Float32Array;
}

/** Chunks of a build with their vectors, in order, starting at `position`. */
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

export type VisibleChunk = ChunkRow & { documentId: string };

/** A chunk with the fields of its document that an answer shows. */
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
    .where(and(inArray(chunks.id, [...ids]), isVisibleBuild(indexId, version)));
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
    .where(and(isVisibleBuild(indexId, version), eq(documentBuilds.documentId, documentId), gt(chunks.position, after)))
    .orderBy(asc(chunks.position))
    .limit(limit);
  return rows.map(({ chunk, documentId: id }) => ({ ...chunk, documentId: id }));
};

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

/** The vectors of these chunks, by chunk id. Deleted chunks are left out. */
export const findVectors = async (db: Reads, chunkIds: readonly string[]): Promise<Map<string, Float32Array>> => {
  const rows = await db
    .select()
    .from(chunkVectors)
    .where(inArray(chunkVectors.chunkId, [...chunkIds]));
  return new Map(rows.map(({ chunkId, vector }) => [chunkId, fromBlob(vector)]));
};
