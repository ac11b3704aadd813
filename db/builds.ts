import { and, asc, eq, gt, inArray, isNotNull, isNull, or, type SQL, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { chunks, documentBuilds, documents, indexes, jobs } from "./schema";

export type BuildRow = typeof documentBuilds.$inferSelect;

/** Inserts a staged build. Queries see it after `showBuilds`. */
export const insertBuild = (
  tx: Tx,
  row: Pick<BuildRow, "id" | "indexId" | "version" | "documentId" | "jobId" | "contentHash"> & { vectorStore?: string },
) => tx.insert(documentBuilds).values({ ...row, state: "staging" });

const isDocument = (indexId: string, documentId: string): SQL | undefined =>
  and(eq(documentBuilds.indexId, indexId), eq(documentBuilds.documentId, documentId));

/** Makes a document's staged builds visible at `revision`. Each replaces the visible build of its version. */
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

/** Hides every build of a document at `revision`. The rows stay in the change log. */
export const hideBuilds = (
  tx: Tx,
  { indexId, documentId, revision }: { indexId: string; documentId: string; revision: number },
) =>
  tx
    .update(documentBuilds)
    .set({ state: "deleted", revision })
    .where(and(isDocument(indexId, documentId), eq(documentBuilds.state, "visible")));

/** Hides every build of a retired version. */
export const dropBuilds = (tx: Tx, { indexId, version }: Pick<BuildRow, "indexId" | "version">) =>
  tx.update(documentBuilds).set({ state: "replaced" }).where(isVisibleBuild(indexId, version));

/** One entry of an index's change log. `buildId` is null for a deleted document. */
export interface IndexChange {
  revision: number;
  documentId: string;
  buildId: string | null;
  /** The build's number of chunks. If a reader finds fewer, a later entry has changed the document again. */
  chunks: number;
  title: string;
  metadata: Record<string, unknown>;
}

/**
 * Changes of a version after `afterRevision`, oldest first. Each document has at most one entry with a build. Revision 0
 * lists all documents of the version.
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

/** Selects the visible builds of a version. */
export const isVisibleBuild = (indexId: string, version: number): SQL | undefined =>
  and(eq(documentBuilds.indexId, indexId), eq(documentBuilds.version, version), eq(documentBuilds.state, "visible"));

/** The number of chunks of each of these documents in a version, by document id. */
export const findChunkCounts = async (
  db: Reads,
  { indexId, version }: Pick<BuildRow, "indexId" | "version">,
  documentIds: readonly string[],
): Promise<Map<string, number>> => {
  const rows = await db
    .select({ id: documentBuilds.documentId, chunks: documentBuilds.chunks })
    .from(documentBuilds)
    .where(and(isVisibleBuild(indexId, version), inArray(documentBuilds.documentId, [...documentIds])));
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
    .where(and(isVisibleBuild(indexId, version), eq(documentBuilds.documentId, documentId)))
    .get();

/** Builds to delete: replaced, deleted, staged by a finished job, or part of a deleted index. */
export const listDoomedBuilds = async (db: Reads, limit: number): Promise<string[]> => {
  const builds = () => db.select({ id: documentBuilds.id }).from(documentBuilds);
  const isOver = or(isNull(jobs.id), isNotNull(jobs.endedAt));
  const hasEnded = and(eq(documentBuilds.state, "deleted"), gt(documentBuilds.chunks, 0));
  const isAbandoned = and(eq(documentBuilds.state, "staging"), isOver);
  // Separate queries, so that each uses a database index.
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

/** Builds that earlier attempts of a task staged. */
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
 * Deletes up to `limit` chunks of a build with their vectors, then the build. Its change log entry stays until the index is
 * deleted. Returns true when everything is deleted.
 */
export const deleteBuildPart = (db: Pick<Db, "write">, buildId: string, limit: number): Promise<boolean> =>
  db.write(async (tx) => {
    const some = tx.select({ id: chunks.id }).from(chunks).where(eq(chunks.buildId, buildId)).limit(limit);
    const { rowsAffected } = await tx.delete(chunks).where(inArray(chunks.id, some));
    if (rowsAffected === limit) return false;
    const isEntry = and(
      eq(documentBuilds.state, "deleted"),
      sql`EXISTS (SELECT 1 FROM indexes WHERE indexes.id = document_builds.index_id AND deleted_at IS NULL)`,
    );
    await tx.delete(documentBuilds).where(and(eq(documentBuilds.id, buildId), sql`NOT (${isEntry})`));
    await tx.update(documentBuilds).set({ chunks: 0 }).where(eq(documentBuilds.id, buildId));
    return true;
  });
