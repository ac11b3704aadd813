import { and, asc, desc, eq, gt, isNull, lt, notExists } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { batches, files } from "./schema";

export type FileRow = typeof files.$inferSelect;

export const insertFile = (tx: Tx, row: FileRow) => tx.insert(files).values(row);

export const findFile = (db: Reads, createdBy: string, id: string): Promise<FileRow | undefined> =>
  db
    .select()
    .from(files)
    .where(and(eq(files.id, id), eq(files.createdBy, createdBy)))
    .get();

interface FileList {
  limit: number;
  /** The id after which the list continues. Ids sort by creation time. */
  after?: string;
  purpose?: FileRow["purpose"];
  isAscending: boolean;
}

export const listFiles = (
  db: Reads,
  createdBy: string,
  { limit, after, purpose, isAscending }: FileList,
): Promise<FileRow[]> =>
  db
    .select()
    .from(files)
    .where(
      and(
        eq(files.createdBy, createdBy),
        purpose && eq(files.purpose, purpose),
        after === undefined ? undefined : (isAscending ? gt : lt)(files.id, after),
      ),
    )
    .orderBy((isAscending ? asc : desc)(files.id))
    .limit(limit);

/** Deletes a file's row. The caller then deletes its upload. */
export const deleteFile = (tx: Tx, id: string) => tx.delete(files).where(eq(files.id, id));

/** Expired files that no unfinished batch reads. */
export const listExpiredFiles = (db: Reads, now: Date, limit: number): Promise<FileRow[]> => {
  const readers = db
    .select({ id: batches.id })
    .from(batches)
    .where(and(eq(batches.inputFileId, files.id), isNull(batches.endedAt)));
  return db
    .select()
    .from(files)
    .where(and(lt(files.expiresAt, now), notExists(readers)))
    .orderBy(asc(files.expiresAt))
    .limit(limit);
};
