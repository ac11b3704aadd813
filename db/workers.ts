import { and, eq, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { workers } from "./schema";

export type WorkerRow = typeof workers.$inferSelect;

export const listWorkers = (db: Reads): Promise<WorkerRow[]> => db.select().from(workers);

export const insertWorker = async (
  tx: Tx,
  row: Pick<WorkerRow, "id" | "host" | "process">,
  now: Date,
): Promise<void> => {
  await tx.insert(workers).values({ ...row, beatAt: now, startedAt: now });
};

/** Sends a heartbeat. False if others considered this worker dead. */
export const beatWorker = (db: Pick<Db, "write">, id: string, now: Date): Promise<boolean> =>
  db.write(async (tx) => {
    const known = await tx
      .update(workers)
      .set({ beat: sql`${workers.beat} + 1`, beatAt: now })
      .where(eq(workers.id, id))
      .returning({ id: workers.id });
    return known.length > 0;
  });

/** Deletes a worker if its heartbeat hasn't changed since the caller read it. True for only one caller. */
export const removeWorker = async (tx: Tx, { id, beat }: Pick<WorkerRow, "id" | "beat">): Promise<boolean> => {
  const removed = await tx
    .delete(workers)
    .where(and(eq(workers.id, id), eq(workers.beat, beat)))
    .returning({ id: workers.id });
  return removed.length > 0;
};

/** Deletes a worker that shuts down. */
export const deleteWorker = async (tx: Tx, id: string): Promise<void> => {
  await tx.delete(workers).where(eq(workers.id, id));
};
