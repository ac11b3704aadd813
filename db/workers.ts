import { and, eq, notInArray, or, type SQL, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { tasks, workers } from "./schema";

export type WorkerRow = typeof workers.$inferSelect;

export const listWorkers = (db: Reads): Promise<WorkerRow[]> => db.select().from(workers);

export const insertWorker = (
  tx: Tx,
  row: Pick<WorkerRow, "id" | "host" | "process"> & { tokenHash?: Buffer },
  now: Date,
) => tx.insert(workers).values({ ...row, beatAt: now, startedAt: now });

/** The worker whose token has this SHA-256. */
export const findWorkerByToken = (db: Reads, tokenHash: Buffer): Promise<WorkerRow | undefined> =>
  db.select().from(workers).where(eq(workers.tokenHash, tokenHash)).get();

/** Sends a heartbeat. False if others considered this worker dead. */
export const beatWorker = (db: Pick<Db, "write">, id: string, now: Date): Promise<boolean> =>
  db.write(async (tx) => {
    const { rowsAffected } = await tx
      .update(workers)
      .set({ beat: sql`${workers.beat} + 1`, beatAt: now })
      .where(eq(workers.id, id));
    return rowsAffected > 0;
  });

/** Deletes a worker if its heartbeat hasn't changed since the caller read it. True for only one caller. */
export const removeWorker = async (tx: Tx, { id, beat }: Pick<WorkerRow, "id" | "beat">): Promise<boolean> => {
  const { rowsAffected } = await tx.delete(workers).where(and(eq(workers.id, id), eq(workers.beat, beat)));
  return rowsAffected > 0;
};

export const deleteWorker = (tx: Tx, id: string) => tx.delete(workers).where(eq(workers.id, id));

interface Occupied {
  workerId: string;
  taskIds: readonly number[];
}

/** Stray tasks: marked as running, but their worker is gone, or is `self` and is working on something else. */
const isStray = ({ workerId, taskIds }: Occupied): SQL | undefined =>
  and(
    eq(tasks.state, "running"),
    or(
      sql`NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = tasks.worker_id)`,
      and(eq(tasks.workerId, workerId), notInArray(tasks.id, [...taskIds])),
    ),
  );

/** Whether `requeueStrays` has anything to do. Only reads, so it doesn't block other processes. */
export const hasStrays = async (db: Reads, self: Occupied): Promise<boolean> => {
  const found = await db.select({ id: tasks.id }).from(tasks).where(isStray(self)).limit(1);
  return found.length > 0;
};

/**
 * Requeues tasks that are marked as running although no worker is running them: their result, or the reply to their
 * claim, was lost, for example because the disk was full. This counts neither as an attempt nor as a worker death.
 * Returns the ids of their jobs.
 */
export const requeueStrays = async (tx: Tx, self: Occupied): Promise<string[]> => {
  const freed = await tx
    .update(tasks)
    .set({ state: "queued", workerId: null, leaseEpoch: sql`${tasks.leaseEpoch} + 1` })
    .where(isStray(self))
    .returning({ jobId: tasks.jobId });
  return [...new Set(freed.map(({ jobId }) => jobId))];
};

interface Quarantine {
  /** Workers that died on a task without progress. */
  maxDeaths: number;
  /** The error of a quarantined task. */
  error: Record<string, unknown>;
  /** Tasks of these kinds are never quarantined. */
  exceptKinds: readonly string[];
}

/** Releases a dead worker's tasks: each becomes due again or is quarantined. Returns the ids of their jobs. */
export const rescueTasks = async (
  tx: Tx,
  workerId: string,
  { maxDeaths, error, exceptKinds }: Quarantine,
): Promise<string[]> => {
  const isPoison = and(notInArray(tasks.kind, [...exceptKinds]), sql`${tasks.deaths} + 1 >= ${maxDeaths}`);
  const rescued = await tx
    .update(tasks)
    .set({
      state: sql`CASE WHEN ${isPoison} THEN 'quarantined' ELSE 'queued' END`,
      error: sql`CASE WHEN ${isPoison} THEN ${JSON.stringify(error)} ELSE ${tasks.error} END`,
      deaths: sql`${tasks.deaths} + 1`,
      leaseEpoch: sql`${tasks.leaseEpoch} + 1`,
      workerId: null,
    })
    .where(and(eq(tasks.workerId, workerId), eq(tasks.state, "running")))
    .returning({ jobId: tasks.jobId });
  return [...new Set(rescued.map(({ jobId }) => jobId))];
};
