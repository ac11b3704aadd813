import { and, eq, notInArray, or, type SQL, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { tasks } from "./schema";

/** A worker, and the tasks that it is at. */
export interface Occupied {
  workerId: string;
  taskIds: readonly number[];
}

/** Running, as the table says, while nobody is at it: its worker has left, or is `self` and does something else. */
const isStray = ({ workerId, taskIds }: Occupied): SQL | undefined =>
  and(
    eq(tasks.state, "running"),
    or(
      sql`NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = tasks.worker_id)`,
      and(eq(tasks.workerId, workerId), notInArray(tasks.id, [...taskIds])),
    ),
  );

/** Whether there is something for `requeueStrays`: a read, which holds up nobody. */
export const hasStrays = async (db: Reads, self: Occupied): Promise<boolean> => {
  const found = await db.select({ id: tasks.id }).from(tasks).where(isStray(self)).limit(1);
  return found.length > 0;
};

/**
 * Frees tasks of which the table says that they run, while nobody is at them: their end, or the answer to their claim, was
 * lost on the way, as when the disk was full. That was no try and no death. Answers their jobs.
 */
export const requeueStrays = async (tx: Tx, self: Occupied): Promise<string[]> => {
  const freed = await tx
    .update(tasks)
    .set({ state: "queued", workerId: null, leaseEpoch: sql`${tasks.leaseEpoch} + 1` })
    .where(isStray(self))
    .returning({ jobId: tasks.jobId });
  return [...new Set(freed.map(({ jobId }) => jobId))];
};

/**
 * Takes the tasks of a dead worker away from it: they are due again, or quarantined where they have now cost
 * `mostDeaths` workers without getting on: `poison` says so. Answers the jobs that they belong to.
 */
export const rescueTasks = async (
  tx: Tx,
  workerId: string,
  mostDeaths: number,
  poison: Record<string, unknown>,
): Promise<string[]> => {
  const isPoison = sql`${tasks.deaths} + 1 >= ${mostDeaths}`;
  const rescued = await tx
    .update(tasks)
    .set({
      state: sql`CASE WHEN ${isPoison} THEN 'quarantined' ELSE 'queued' END`,
      error: sql`CASE WHEN ${isPoison} THEN ${JSON.stringify(poison)} ELSE ${tasks.error} END`,
      deaths: sql`${tasks.deaths} + 1`,
      leaseEpoch: sql`${tasks.leaseEpoch} + 1`,
      workerId: null,
    })
    .where(and(eq(tasks.workerId, workerId), eq(tasks.state, "running")))
    .returning({ jobId: tasks.jobId });
  return [...new Set(rescued.map(({ jobId }) => jobId))];
};
