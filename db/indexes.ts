import { and, asc, desc, eq, inArray, isNotNull, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { isAfter, type TimeCursor } from "./conditions";
import { documentBuilds, documents, indexes, indexVersions, jobs } from "./schema";

export type IndexRow = typeof indexes.$inferSelect;
export type VersionRow = typeof indexVersions.$inferSelect;

/** Totals over the documents of one version. */
export interface VersionTotals {
  documents: number;
  chunks: number;
  tokens: number;
  sizeBytes: number;
}

/** Index ids or names that the caller may use; undefined: every index. */
type Allowed = readonly string[] | undefined;

const isVisible = (allowed: Allowed): SQL | undefined =>
  and(isNull(indexes.deletedAt), allowed && or(inArray(indexes.id, [...allowed]), inArray(indexes.name, [...allowed])));

/** Newest first. */
export const listIndexes = (
  db: Reads,
  { allowed, limit, cursor }: { allowed: Allowed; limit: number; cursor?: TimeCursor },
): Promise<IndexRow[]> =>
  db
    .select()
    .from(indexes)
    .where(and(isVisible(allowed), isAfter(indexes.createdAt, indexes.id, cursor)))
    .orderBy(desc(indexes.createdAt), desc(indexes.id))
    .limit(limit);

export type IndexSort = "name" | "documents" | "updated";

const SORTED_BY: Readonly<Record<IndexSort, SQL>> = {
  name: sql`indexes.name COLLATE NOCASE`,
  documents: sql`(SELECT COUNT(*) FROM documents WHERE documents.index_id = indexes.id)`,
  updated: sql`indexes.updated_at`,
};

/** A sorted slice; ties are ordered by most recent change. */
export const listSortedIndexes = (
  db: Reads,
  {
    allowed,
    limit,
    offset,
    sort: { by, isDescending },
  }: { allowed: Allowed; limit: number; offset: number; sort: { by: IndexSort; isDescending: boolean } },
): Promise<IndexRow[]> =>
  db
    .select()
    .from(indexes)
    .where(isVisible(allowed))
    .orderBy((isDescending ? desc : asc)(SORTED_BY[by]), desc(indexes.updatedAt), desc(indexes.id))
    .limit(limit)
    .offset(offset);

export const countIndexes = (db: Reads, allowed: Allowed): Promise<number> => db.$count(indexes, isVisible(allowed));

/** Finds an index by id or name; an id takes precedence. Also returns undefined if the caller may not use it. */
export const findIndex = (db: Reads, idOrName: string, allowed?: Allowed): Promise<IndexRow | undefined> =>
  db
    .select()
    .from(indexes)
    .where(and(isVisible(allowed), or(eq(indexes.id, idOrName), eq(indexes.name, idOrName))))
    .orderBy(desc(eq(indexes.id, idOrName)))
    .limit(1)
    .get();

/** Ids and names of the indexes that the caller may use, by name. */
export const listIndexNames = (db: Reads, allowed: Allowed, limit: number): Promise<Pick<IndexRow, "id" | "name">[]> =>
  db
    .select({ id: indexes.id, name: indexes.name })
    .from(indexes)
    .where(isVisible(allowed))
    .orderBy(SORTED_BY.name)
    .limit(limit);

/** The given documents that exist in any of the given indexes that the caller may use. */
export const listVisibleDocuments = (
  db: Reads,
  { indexIds, ids, allowed }: { indexIds: readonly string[]; ids: readonly string[]; allowed: Allowed },
): Promise<{ indexId: string; id: string }[]> =>
  db
    .select({ indexId: documents.indexId, id: documents.id })
    .from(indexes)
    .innerJoin(documents, eq(documents.indexId, indexes.id))
    .where(and(isVisible(allowed), isOneOf(sql`indexes.id`, indexIds), isOneOf(sql`documents.id`, ids)));

/** For lists with more entries than a statement can have parameters. */
const isOneOf = (column: SQL, values: readonly string[]): SQL =>
  sql`${column} IN (SELECT value FROM json_each(${JSON.stringify(values)}))`;

/** One indexed read, because every query calls it. Returns undefined if the index was deleted. */
export const findIndexRevision = (
  db: Reads,
  id: string,
): Promise<Pick<IndexRow, "revision" | "activeVersion"> | undefined> =>
  db
    .select({ revision: indexes.revision, activeVersion: indexes.activeVersion })
    .from(indexes)
    .where(and(eq(indexes.id, id), isVisible(undefined)))
    .get();

export const insertIndex = async (tx: Tx, row: typeof indexes.$inferInsert): Promise<void> => {
  await tx.insert(indexes).values(row);
};

/** Returns false if the index was deleted. */
export const updateIndex = async (
  tx: Tx,
  id: string,
  changes: Partial<Omit<IndexRow, "id" | "revision" | "createdBy" | "createdAt">>,
): Promise<boolean> => {
  const updated = await tx
    .update(indexes)
    .set(changes)
    .where(and(eq(indexes.id, id), isVisible(undefined)))
    .returning({ id: indexes.id });
  return updated.length > 0;
};

/** Raises the revision for one visible change and returns it, or undefined if the index was deleted. */
export const raiseRevision = async (tx: Tx, id: string, now: Date): Promise<number | undefined> => {
  const [raised] = await tx
    .update(indexes)
    .set({ revision: sql`${indexes.revision} + 1`, updatedAt: now })
    .where(and(eq(indexes.id, id), isVisible(undefined)))
    .returning({ revision: indexes.revision });
  return raised?.revision;
};

export const insertVersion = async (tx: Tx, row: typeof indexVersions.$inferInsert): Promise<void> => {
  await tx.insert(indexVersions).values(row);
};

export const updateVersion = async (
  tx: Tx,
  { indexId, version }: Pick<VersionRow, "indexId" | "version">,
  changes: Partial<Pick<VersionRow, "state" | "error" | "activatedAt">>,
): Promise<void> => {
  await tx
    .update(indexVersions)
    .set(changes)
    .where(and(eq(indexVersions.indexId, indexId), eq(indexVersions.version, version)));
};

/** Newest first; `below` is the last number on the previous page. */
export const listVersions = (
  db: Reads,
  indexId: string,
  { limit, below }: { limit: number; below?: number },
): Promise<VersionRow[]> =>
  db
    .select()
    .from(indexVersions)
    .where(and(eq(indexVersions.indexId, indexId), below === undefined ? undefined : lt(indexVersions.version, below)))
    .orderBy(desc(indexVersions.version))
    .limit(limit);

/** The versions that get every new document. */
export const listLiveVersions = (db: Reads, indexId: string): Promise<VersionRow[]> =>
  db
    .select()
    .from(indexVersions)
    .where(and(eq(indexVersions.indexId, indexId), inArray(indexVersions.state, ["building", "ready"])))
    .orderBy(indexVersions.version);

export const findVersion = (db: Reads, indexId: string, version: number): Promise<VersionRow | undefined> =>
  db
    .select()
    .from(indexVersions)
    .where(and(eq(indexVersions.indexId, indexId), eq(indexVersions.version, version)))
    .get();

/** Ids of up to `limit` searchable documents that a version lacks. */
export const listMissingDocuments = async (
  db: Reads,
  { indexId, version }: Pick<VersionRow, "indexId" | "version">,
  limit: number,
): Promise<string[]> => {
  const rows = await db
    .select({ id: documents.id })
    .from(documents)
    .leftJoin(
      documentBuilds,
      and(
        eq(documentBuilds.indexId, documents.indexId),
        eq(documentBuilds.version, version),
        eq(documentBuilds.documentId, documents.id),
        eq(documentBuilds.state, "visible"),
      ),
    )
    .where(and(eq(documents.indexId, indexId), isNotNull(documents.contentHash), isNull(documentBuilds.id)))
    .limit(limit);
  return rows.map(({ id }) => id);
};

/** Incomplete versions of finished jobs, with the job's error. */
export const listStuckVersions = (
  db: Reads,
): Promise<(Pick<VersionRow, "indexId" | "version"> & { error: Record<string, unknown> | null })[]> =>
  db
    .select({ indexId: indexVersions.indexId, version: indexVersions.version, error: jobs.error })
    .from(indexVersions)
    .leftJoin(jobs, eq(jobs.id, indexVersions.jobId))
    .where(and(eq(indexVersions.state, "building"), or(isNull(jobs.id), isNotNull(jobs.endedAt))));

/** Totals of these versions of an index, by version. Versions without documents are left out. */
export const findVersionTotals = async (
  db: Reads,
  indexId: string,
  versions: readonly number[],
): Promise<Map<number, VersionTotals>> => {
  const rows = await db
    .select({
      version: documentBuilds.version,
      documents: sql<number>`COUNT(*)`,
      chunks: sql<number>`SUM(${documentBuilds.chunks})`,
      tokens: sql<number>`SUM(${documentBuilds.tokens})`,
      sizeBytes: sql<number>`SUM(${documentBuilds.sizeBytes})`,
    })
    .from(documentBuilds)
    .where(
      and(
        eq(documentBuilds.indexId, indexId),
        inArray(documentBuilds.version, [...versions]),
        eq(documentBuilds.state, "visible"),
      ),
    )
    .groupBy(documentBuilds.version);
  return new Map(rows.map(({ version, ...totals }) => [version, totals]));
};

/** Whether `deleteIndexPart` has anything to do. Only reads, so it doesn't block other processes. */
export const hasDeletedIndex = async (db: Reads): Promise<boolean> =>
  (await db.select({ id: indexes.id }).from(indexes).where(isNotNull(indexes.deletedAt)).limit(1)).length > 0;

/**
 * Deletes part of one index that is marked as deleted: up to `limit` documents, or the index itself once its documents and
 * builds are gone. Returns false if no index is marked.
 */
export const deleteIndexPart = (db: Pick<Db, "write">, limit: number): Promise<boolean> =>
  db.write(async (tx) => {
    const doomed = await tx.select({ id: indexes.id }).from(indexes).where(isNotNull(indexes.deletedAt)).limit(1).get();
    if (!doomed) return false;
    const some = tx.select({ id: documents.id }).from(documents).where(eq(documents.indexId, doomed.id)).limit(limit);
    const gone = await tx
      .delete(documents)
      .where(and(eq(documents.indexId, doomed.id), inArray(documents.id, some)))
      .returning({ id: documents.id });
    if (gone.length > 0) return true;
    // `deleteBuildPart` deletes the chunks.
    const hasBuilds = await tx
      .select({ id: documentBuilds.id })
      .from(documentBuilds)
      .where(eq(documentBuilds.indexId, doomed.id))
      .limit(1)
      .get();
    if (!hasBuilds) await tx.delete(indexes).where(eq(indexes.id, doomed.id));
    return !hasBuilds;
  });
