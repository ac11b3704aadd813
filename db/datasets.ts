import { and, count, desc, eq, getTableColumns, inArray, isNull, lt, or, type SQL, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { isAfter, like, type Slice, sortedBy, type TimeCursor } from "./conditions";
import { datasetRevisions, datasets, revisionSamples, samples } from "./schema";

export type DatasetRow = typeof datasets.$inferSelect;
/** A revision without its report, which can be long; see `findReport`. */
export type RevisionRow = Omit<typeof datasetRevisions.$inferSelect, "report">;
export type ReadyRevision = RevisionRow & { datasetId: string; revision: number; hash: string };
export type DatasetWithLatest = DatasetRow & { latest: ReadyRevision };

const isLatest = sql`dataset_revisions.revision = (SELECT MAX(revision) FROM dataset_revisions AS r WHERE r.dataset_id = datasets.id)`;

const { report: _, ...revisionColumns } = getTableColumns(datasetRevisions);

/** The columns of a dataset. A deleted baseline run is null. */
const datasetColumns = {
  ...getTableColumns(datasets),
  baselineRunId: sql<string | null>`(SELECT id FROM runs WHERE runs.id = datasets.baseline_run_id)`,
};

const withLatest = (db: Reads, where: SQL | undefined) =>
  db
    .select({ dataset: datasetColumns, latest: revisionColumns })
    .from(datasets)
    .innerJoin(datasetRevisions, and(eq(datasetRevisions.datasetId, datasets.id), isLatest))
    .where(and(isNull(datasets.deletedAt), where));

/** Datasets with their newest revision, last changed first, after `cursor`; `search` matches names and descriptions. */
export const listDatasets = async (
  db: Reads,
  { limit, cursor, search }: { limit: number; cursor?: TimeCursor; search?: string },
): Promise<DatasetWithLatest[]> => {
  const rows = await withLatest(db, and(matches(search), isAfter(datasets.updatedAt, datasets.id, cursor)))
    .orderBy(desc(datasets.updatedAt), desc(datasets.id))
    .limit(limit);
  return rows.map(join);
};

const matches = (search: string | undefined): SQL | undefined =>
  search === undefined ? undefined : or(like(datasets.name, search), like(datasets.description, search));

export type DatasetSort = "name" | "samples" | "changed";

const SORTED_BY: Readonly<Record<DatasetSort, SQL>> = {
  name: sql`datasets.name COLLATE NOCASE`,
  samples: sql`dataset_revisions.samples`,
  changed: sql`datasets.updated_at`,
};

/** A sorted slice of the matching datasets; ties are ordered by most recent change. */
export const listSortedDatasets = async (
  db: Reads,
  { limit, offset, search, sort }: Slice<DatasetSort> & { search?: string },
): Promise<DatasetWithLatest[]> => {
  const rows = await withLatest(db, matches(search))
    .orderBy(sortedBy(SORTED_BY, sort), desc(datasets.updatedAt), desc(datasets.id))
    .limit(limit)
    .offset(offset);
  return rows.map(join);
};

export const countDatasets = async (db: Reads, search?: string): Promise<number> => {
  const [row] = await db
    .select({ total: count() })
    .from(datasets)
    .innerJoin(datasetRevisions, and(eq(datasetRevisions.datasetId, datasets.id), isLatest))
    .where(and(isNull(datasets.deletedAt), matches(search)));
  return row?.total ?? 0;
};

export const findDataset = async (db: Reads, idOrName: string): Promise<DatasetWithLatest | undefined> => {
  const [row] = await withLatest(db, or(eq(datasets.id, idOrName), eq(datasets.name, idOrName)))
    .orderBy(desc(eq(datasets.id, idOrName)))
    .limit(1);
  return row && join(row);
};

const join = ({ dataset, latest }: { dataset: DatasetRow; latest: RevisionRow }): DatasetWithLatest => ({
  ...dataset,
  latest: asReady(latest),
});

const asReady = (row: RevisionRow): ReadyRevision => {
  const { datasetId, revision, hash } = row;
  if (datasetId === null || revision === null || hash === null) throw new Error(`The revision ${row.id} is not ready.`);
  return { ...row, datasetId, revision, hash };
};

export const insertDataset = (tx: Tx, row: typeof datasets.$inferInsert) => tx.insert(datasets).values(row);

export const updateDataset = (
  tx: Tx,
  id: string,
  changes: Partial<Pick<DatasetRow, "name" | "description" | "sampleSchema" | "baselineRunId" | "updatedAt">>,
) => tx.update(datasets).set(changes).where(eq(datasets.id, id));

/** Hides a dataset, so that its name can be reused. Its content is deleted later, unless a run has used it. */
export const hideDataset = (tx: Tx, id: string, at: Date) =>
  tx.update(datasets).set({ deletedAt: at }).where(eq(datasets.id, id));

/** A revision by its number, or the newest; undefined if it doesn't exist or is not ready. */
export const findRevision = async (
  db: Reads,
  datasetId: string,
  revision?: number,
): Promise<ReadyRevision | undefined> => {
  const [row] = await db
    .select(revisionColumns)
    .from(datasetRevisions)
    .where(
      and(
        eq(datasetRevisions.datasetId, datasetId),
        revision === undefined ? undefined : eq(datasetRevisions.revision, revision),
      ),
    )
    .orderBy(desc(datasetRevisions.revision))
    .limit(1);
  return row && asReady(row);
};

/** Revisions, newest first. `below` is the last number on the previous page. */
export const listRevisions = async (
  db: Reads,
  datasetId: string,
  { limit, below }: { limit: number; below?: number },
): Promise<ReadyRevision[]> => {
  const older = below === undefined ? undefined : lt(datasetRevisions.revision, below);
  const rows = await db
    .select(revisionColumns)
    .from(datasetRevisions)
    .where(and(eq(datasetRevisions.datasetId, datasetId), older))
    .orderBy(desc(datasetRevisions.revision))
    .limit(limit);
  return rows.map(asReady);
};

export const findReport = async (db: Reads, revisionId: string): Promise<Record<string, unknown> | null> => {
  const [row] = await db
    .select({ report: datasetRevisions.report })
    .from(datasetRevisions)
    .where(eq(datasetRevisions.id, revisionId));
  return row?.report ?? null;
};

/** Creates a revision that is not visible yet. */
export const stageRevision = (tx: Tx, row: Pick<RevisionRow, "id" | "jobId" | "source" | "createdBy">, now: Date) =>
  tx.insert(datasetRevisions).values({ ...row, createdAt: now });

/** Makes a staged revision the newest of its dataset. */
export const publishRevision = (
  tx: Tx,
  id: string,
  fields: Pick<
    ReadyRevision,
    "datasetId" | "revision" | "hash" | "samples" | "added" | "changed" | "removed" | "tags" | "tagCount"
  > & {
    report: Record<string, unknown>;
  },
) => tx.update(datasetRevisions).set(fields).where(eq(datasetRevisions.id, id));

/** Revisions to delete: staged ones whose job has ended, and revisions of hidden datasets that no run has used. */
export const listDoomedRevisions = async (db: Reads, limit: number): Promise<string[]> => {
  const isAbandoned = sql`dataset_revisions.dataset_id IS NULL AND NOT EXISTS (
    SELECT 1 FROM jobs WHERE jobs.id = dataset_revisions.job_id AND jobs.state IN ('queued', 'running'))`;
  const isUnused = sql`datasets.deleted_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM runs WHERE runs.dataset_id = datasets.id)`;
  const rows = await db
    .select({ id: datasetRevisions.id })
    .from(datasetRevisions)
    .leftJoin(datasets, eq(datasets.id, datasetRevisions.datasetId))
    .where(or(isAbandoned, isUnused))
    .limit(limit);
  return rows.map(({ id }) => id);
};

/**
 * Deletes up to `limit` members of a revision and samples that nothing else uses, then the revision, then the dataset
 * if this was its last revision. True when everything is deleted.
 */
export const deleteRevisionPart = (db: Pick<Db, "write">, id: string, limit: number): Promise<boolean> =>
  db.write(async (tx) => {
    const some = tx
      .select({ position: revisionSamples.position })
      .from(revisionSamples)
      .where(eq(revisionSamples.revisionId, id))
      .limit(limit);
    const gone = await tx
      .delete(revisionSamples)
      .where(and(eq(revisionSamples.revisionId, id), inArray(revisionSamples.position, some)))
      .returning({ sampleId: revisionSamples.sampleId });
    if (gone.length > 0) await deleteOrphans(tx, [...new Set(gone.map(({ sampleId }) => sampleId))]);
    if (gone.length === limit) return false;
    const [revision] = await tx.delete(datasetRevisions).where(eq(datasetRevisions.id, id)).returning();
    if (revision?.datasetId) await deleteEmptyDataset(tx, revision.datasetId);
    return true;
  });

const deleteOrphans = async (tx: Tx, ids: string[]): Promise<void> => {
  const isHeld = sql`EXISTS (SELECT 1 FROM revision_samples AS m WHERE m.sample_id = samples.id)
    OR EXISTS (SELECT 1 FROM results AS r WHERE r.sample_id = samples.id)`;
  await tx.delete(samples).where(and(inArray(samples.id, ids), sql`NOT (${isHeld})`));
};

const deleteEmptyDataset = async (tx: Tx, id: string): Promise<void> => {
  const isEmpty = sql`NOT EXISTS (SELECT 1 FROM dataset_revisions AS r WHERE r.dataset_id = datasets.id)`;
  await tx.delete(datasets).where(and(eq(datasets.id, id), isEmpty));
};
