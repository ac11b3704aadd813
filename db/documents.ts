import { and, count, desc, eq, inArray, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import { blocksOf } from "../lib/blocks";
import type { Db, Reads, Tx } from "./client";
import { INSERT_ROWS, isAfter, like, type Slice, sortedBy, type TimeCursor } from "./conditions";
import { documents, documentTexts, jobs } from "./schema";

export type DocumentRow = typeof documents.$inferSelect;
export type DocumentState = DocumentRow["state"];
export type TextRow = typeof documentTexts.$inferSelect;

/** States of a document that a job is still processing. */
const OPEN = ["queued", "reading", "chunking", "embedding"] as const;

const is = (indexId: string, id: string): SQL | undefined => and(eq(documents.indexId, indexId), eq(documents.id, id));

export const findDocument = (db: Reads, indexId: string, id: string): Promise<DocumentRow | undefined> =>
  db.select().from(documents).where(is(indexId, id)).get();

/** Documents of an index with one of these ids, sources or file hashes, oldest first (at most 10,000 of each). */
export const listMatchingDocuments = (
  db: Reads,
  indexId: string,
  { ids, sources, hashes }: { ids: readonly string[]; sources: readonly string[]; hashes: readonly string[] },
): Promise<DocumentRow[]> =>
  db
    .select()
    .from(documents)
    .where(
      and(
        eq(documents.indexId, indexId),
        or(
          inArray(documents.id, [...ids]),
          inArray(documents.source, [...sources]),
          inArray(documents.fileHash, [...hashes]),
          inArray(documents.pendingHash, [...hashes]),
        ),
      ),
    )
    .orderBy(documents.createdAt, documents.id);

export interface DocumentFilter {
  state?: DocumentState;
  search?: string;
}

const fits = (indexId: string, { state, search }: DocumentFilter): SQL | undefined =>
  and(
    eq(documents.indexId, indexId),
    state && eq(documents.state, state),
    search === undefined ? undefined : or(like(documents.title, search), like(documents.source, search)),
  );

/** Newest first. */
export const listDocuments = (
  db: Reads,
  indexId: string,
  { limit, cursor, ...filter }: DocumentFilter & { limit: number; cursor?: TimeCursor },
): Promise<DocumentRow[]> =>
  db
    .select()
    .from(documents)
    .where(and(fits(indexId, filter), isAfter(documents.createdAt, documents.id, cursor)))
    .orderBy(desc(documents.createdAt), desc(documents.id))
    .limit(limit);

export type DocumentSort = "title" | "chunks" | "updated";

/** `chunks` counts the chunks of the active version. */
const SORTED_BY: Readonly<Record<DocumentSort, SQL>> = {
  title: sql`documents.title COLLATE NOCASE`,
  chunks: sql`(
    SELECT document_builds.chunks FROM document_builds JOIN indexes
    ON indexes.id = document_builds.index_id AND indexes.active_version = document_builds.version
    WHERE document_builds.index_id = documents.index_id AND document_builds.document_id = documents.id
    AND document_builds.state = 'visible')`,
  updated: sql`documents.updated_at`,
};

/** A sorted slice of the matching documents; ties are ordered by most recent change. */
export const listSortedDocuments = (
  db: Reads,
  indexId: string,
  { limit, offset, sort, ...filter }: DocumentFilter & Slice<DocumentSort>,
): Promise<DocumentRow[]> =>
  db
    .select()
    .from(documents)
    .where(fits(indexId, filter))
    .orderBy(sortedBy(SORTED_BY, sort), desc(documents.updatedAt), desc(documents.id))
    .limit(limit)
    .offset(offset);

export const countDocuments = (db: Reads, indexId: string, filter: DocumentFilter): Promise<number> =>
  db.$count(documents, fits(indexId, filter));

/** The first `limit` documents of a job: in progress, then failed, then queued, then all others. */
export const listJobDocuments = (db: Reads, jobId: string, limit: number): Promise<DocumentRow[]> => {
  const order = ["embedding", "chunking", "reading", "failed", "queued"] as const;
  const place = order.map((state, at) => sql`WHEN ${state} THEN ${at}`);
  return db
    .select()
    .from(documents)
    .where(eq(documents.jobId, jobId))
    .orderBy(sql`CASE ${documents.state} ${sql.join(place, sql` `)} ELSE ${order.length} END`, documents.id)
    .limit(limit);
};

/** The number of documents in each state. */
export const findStateCounts = async (
  db: Reads,
  where: { indexId: string } | { jobId: string },
): Promise<Partial<Record<DocumentState, number>>> => {
  const rows = await db
    .select({ state: documents.state, total: count() })
    .from(documents)
    .where("jobId" in where ? eq(documents.jobId, where.jobId) : eq(documents.indexId, where.indexId))
    .groupBy(documents.state);
  return Object.fromEntries(rows.map(({ state, total }) => [state, total]));
};

/** The error of the most recently failed document. */
export const findNewestFailure = async (db: Reads, indexId: string): Promise<Record<string, unknown> | null> => {
  const [row] = await db
    .select({ error: documents.error })
    .from(documents)
    .where(and(eq(documents.indexId, indexId), eq(documents.state, "failed")))
    .orderBy(desc(documents.updatedAt))
    .limit(1);
  return row?.error ?? null;
};

/** Ids of the jobs that are adding documents to an index. */
export const listOpenJobs = async (db: Reads, indexId: string): Promise<string[]> => {
  const rows = await db
    .selectDistinct({ jobId: documents.jobId })
    .from(documents)
    .where(and(eq(documents.indexId, indexId), inArray(documents.state, [...OPEN])));
  return rows.map(({ jobId }) => jobId);
};

export const insertDocuments = async (tx: Tx, rows: readonly (typeof documents.$inferInsert)[]): Promise<void> => {
  for (const some of blocksOf(rows, INSERT_ROWS)) await tx.insert(documents).values(some);
};

/** Returns false if the document does not exist, or if `jobId` is given and a newer job owns the document. */
export const updateDocument = async (
  tx: Tx,
  { indexId, id, jobId }: Pick<DocumentRow, "indexId" | "id"> & { jobId?: string },
  changes: Partial<Omit<DocumentRow, "indexId" | "id">>,
): Promise<boolean> => {
  const { rowsAffected } = await tx
    .update(documents)
    .set(changes)
    .where(and(is(indexId, id), jobId === undefined ? undefined : eq(documents.jobId, jobId)));
  return rowsAffected > 0;
};

/** Applies the same changes to up to 30,000 documents. */
export const updateDocuments = (
  tx: Tx,
  indexId: string,
  ids: readonly string[],
  changes: Partial<Omit<DocumentRow, "indexId" | "id">>,
) =>
  tx
    .update(documents)
    .set(changes)
    .where(and(eq(documents.indexId, indexId), inArray(documents.id, [...ids])));

/** Deletes a document with its texts. `hideBuilds` hides its builds. */
export const deleteDocument = (tx: Tx, indexId: string, id: string) => tx.delete(documents).where(is(indexId, id));

/** Cancels the documents of a job that no worker has started. */
export const cancelQueuedDocuments = (tx: Tx, jobId: string, now: Date) =>
  tx
    .update(documents)
    .set({ state: "cancelled", updatedAt: now })
    .where(and(eq(documents.jobId, jobId), eq(documents.state, "queued")));

/** Unfinished documents of finished jobs: workers died, or the job was cancelled. */
const listStuck = (db: Reads, limit: number) =>
  db
    .select({
      indexId: documents.indexId,
      id: documents.id,
      jobId: documents.jobId,
      job: jobs.state,
      error: jobs.error,
    })
    .from(documents)
    .leftJoin(jobs, eq(jobs.id, documents.jobId))
    .where(and(inArray(documents.state, [...OPEN]), or(isNull(jobs.id), isNotNull(jobs.endedAt))))
    .limit(limit);

/** Whether `settleDocuments` has anything to do. Only reads, so it doesn't block other processes. */
export const hasStuckDocuments = async (db: Reads): Promise<boolean> => (await listStuck(db, 1)).length > 0;

/** Marks up to `limit` unfinished documents of finished jobs as failed, with the job's error, or as cancelled. */
export const settleDocuments = (db: Pick<Db, "write">, now: Date, limit: number): Promise<void> =>
  db.write(async (tx) => {
    for (const { job, error, ...document } of await listStuck(tx, limit)) {
      const end = job === "failed" ? ({ state: "failed", error } as const) : ({ state: "cancelled" } as const);
      await updateDocument(tx, document, { ...end, updatedAt: now });
    }
  });

/** Stores a text of a document, unless one with the same hash is already stored. */
export const insertText = (tx: Tx, row: TextRow) => tx.insert(documentTexts).values(row).onConflictDoNothing();

export const findText = (db: Reads, indexId: string, documentId: string, hash: string): Promise<TextRow | undefined> =>
  db
    .select()
    .from(documentTexts)
    .where(
      and(eq(documentTexts.indexId, indexId), eq(documentTexts.documentId, documentId), eq(documentTexts.hash, hash)),
    )
    .get();
