import { and, asc, eq, inArray, isNotNull, isNull, lt, notExists, or, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { documents, files, jobs, uploadParts, uploads } from "./schema";

export type UploadRow = typeof uploads.$inferSelect;

export const insertUpload = (tx: Tx, row: Pick<UploadRow, "id" | "fileName" | "createdBy">, now: Date) =>
  tx.insert(uploads).values({ ...row, state: "receiving", createdAt: now });

/** Adds one piece in its own transaction. Positions count from 0. */
export const insertUploadPart = (
  db: Pick<Db, "write">,
  part: { uploadId: string; position: number; bytes: Buffer },
): Promise<void> =>
  db.write(async (tx) => {
    await tx.insert(uploadParts).values(part);
  });

export const completeUpload = (tx: Tx, id: string, { sizeBytes, sha256 }: { sizeBytes: number; sha256: string }) =>
  tx.update(uploads).set({ state: "complete", sizeBytes, sha256 }).where(eq(uploads.id, id));

/** Adds complete uploads of one piece each. */
export const insertUploads = async (
  tx: Tx,
  files: readonly (Pick<UploadRow, "id" | "fileName" | "createdBy"> & { sha256: string; bytes: Buffer })[],
  now: Date,
): Promise<void> => {
  await tx.insert(uploads).values(
    files.map(({ bytes, ...row }) => ({
      ...row,
      state: "complete" as const,
      sizeBytes: bytes.length,
      createdAt: now,
    })),
  );
  await tx.insert(uploadParts).values(files.map(({ id, bytes }) => ({ uploadId: id, position: 0, bytes })));
};

/** Hands an upload over to the job that reads it. From then on, the upload is deleted when the job ends. */
export const handUploadToJob = (tx: Tx, id: string, jobId: string) =>
  tx.update(uploads).set({ jobId }).where(eq(uploads.id, id));

export const findUpload = (db: Reads, id: string): Promise<UploadRow | undefined> =>
  db.select().from(uploads).where(eq(uploads.id, id)).get();

export const findUploadPart = async (db: Reads, uploadId: string, position: number): Promise<Buffer | undefined> => {
  const [row] = await db
    .select({ bytes: uploadParts.bytes })
    .from(uploadParts)
    .where(and(eq(uploadParts.uploadId, uploadId), eq(uploadParts.position, position)));
  return row?.bytes;
};

/** Ids of uploads that started before `before` and that no document or file refers to, oldest first. */
export const listOldUploads = async (db: Reads, before: Date, limit: number): Promise<string[]> => {
  const ofDocuments = db.select({ id: documents.id }).from(documents).where(eq(documents.uploadId, uploads.id));
  const ofFiles = db.select({ id: files.id }).from(files).where(eq(files.uploadId, uploads.id));
  const rows = await db
    .select({ id: uploads.id })
    .from(uploads)
    .where(and(lt(uploads.createdAt, before), notExists(ofDocuments), notExists(ofFiles)))
    .orderBy(asc(uploads.createdAt))
    .limit(limit);
  return rows.map(({ id }) => id);
};

export const listSpentUploads = async (db: Reads, limit: number): Promise<string[]> => {
  const rows = await db
    .select({ id: uploads.id })
    .from(uploads)
    .leftJoin(jobs, eq(jobs.id, uploads.jobId))
    .where(and(isNotNull(uploads.jobId), or(isNull(jobs.id), isNotNull(jobs.endedAt))))
    .limit(limit);
  return rows.map(({ id }) => id);
};

/** Deletes up to `limit` pieces, then the upload itself. True when everything is deleted. */
export const deleteUploadParts = (db: Pick<Db, "write">, id: string, limit: number): Promise<boolean> =>
  db.write(async (tx) => {
    const some = tx.select({ rowid: sql`rowid` }).from(uploadParts).where(eq(uploadParts.uploadId, id)).limit(limit);
    const { rowsAffected } = await tx.delete(uploadParts).where(inArray(sql`rowid`, some));
    if (rowsAffected === limit) return false;
    await tx.delete(uploads).where(eq(uploads.id, id));
    return true;
  });
