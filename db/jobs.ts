import { and, asc, eq, exists, gt, inArray, isNotNull, lt, lte, or, sql } from "drizzle-orm";
import { blocksOf } from "../lib/blocks";
import type { Db, Reads, Tx } from "./client";
import { INSERT_ROWS } from "./conditions";
import { jobs, runs, tasks, workers } from "./schema";

export type JobRow = typeof jobs.$inferSelect;
type TaskRow = typeof tasks.$inferSelect;
type Json = Record<string, unknown>;

/** A claimed task. Every write for it is fenced by `leaseEpoch`. */
export interface ClaimedTask
  extends Pick<TaskRow, "id" | "jobId" | "kind" | "payload" | "attempts" | "deaths" | "leaseEpoch"> {
  job: JobRow;
}

const MAX_PAUSE_MS = 9 * 60_000;
/** A due time further ahead than this was written before the clock was set back, so the task counts as due. */
const TOO_FAR_MS = MAX_PAUSE_MS + 60_000;
const OPEN = ["queued", "running"] as const;

const isDue = (now: Date) =>
  and(
    eq(tasks.state, "queued"),
    or(lte(tasks.runAfter, now), gt(tasks.runAfter, new Date(now.getTime() + TOO_FAR_MS))),
  );

const isHeld = ({ id, leaseEpoch }: Pick<ClaimedTask, "id" | "leaseEpoch">) =>
  and(eq(tasks.id, id), eq(tasks.leaseEpoch, leaseEpoch), eq(tasks.state, "running"));

/** Creates a job with a task for each payload, due at `now`. */
export const insertJob = async (
  tx: Tx,
  job: Pick<JobRow, "id" | "kind" | "payload" | "createdBy"> & { traceparent?: string },
  payloads: readonly (Json | null)[],
  now: Date,
): Promise<void> => {
  await tx.insert(jobs).values({ ...job, state: "queued", createdAt: now });
  const { id: jobId, kind } = job;
  const rows = payloads.map((payload) => ({ jobId, kind, state: "queued" as const, payload, runAfter: now }));
  for (const some of blocksOf(rows, INSERT_ROWS)) await tx.insert(tasks).values(some);
};

export const findJob = (db: Reads, id: string): Promise<JobRow | undefined> =>
  db.select().from(jobs).where(eq(jobs.id, id)).get();

/** True if a task of one of these kinds can be claimed now. Only reads, so it doesn't block other processes. */
export const hasDueTask = async (db: Reads, kinds: readonly string[], now: Date): Promise<boolean> => {
  const found = await db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(isDue(now), inArray(tasks.kind, [...kinds])))
    .limit(1);
  return found.length > 0;
};

interface Claim {
  workerId: string;
  kind: string;
  limit: number;
  /**
   * Whether a task on which `deaths` workers died may run too, after `claimed` others. The first task that may not run
   * ends the claim.
   */
  fits?(deaths: number, claimed: number): boolean;
}

/**
 * Claims up to `limit` due tasks of a kind, longest waiting first. A worker that others consider dead gets no tasks,
 * because its tasks have already been requeued and would not be requeued again.
 */
export const claimTasks = (
  db: Pick<Db, "write">,
  { workerId, kind, limit, fits = () => true }: Claim,
  now: Date,
): Promise<ClaimedTask[]> =>
  db.write(async (tx) => {
    const lives = tx.select({ id: workers.id }).from(workers).where(eq(workers.id, workerId));
    const due = await tx
      .select({ id: tasks.id, deaths: tasks.deaths })
      .from(tasks)
      .where(and(isDue(now), eq(tasks.kind, kind), exists(lives)))
      .orderBy(asc(tasks.runAfter), asc(tasks.id))
      .limit(limit);
    const end = due.findIndex(({ deaths }, at) => !fits(deaths, at));
    const ids = due.slice(0, end === -1 ? due.length : end).map(({ id }) => id);
    if (ids.length === 0) return [];
    const claimed = await tx
      .update(tasks)
      .set({ state: "running", workerId, leaseEpoch: sql`${tasks.leaseEpoch} + 1` })
      .where(inArray(tasks.id, ids))
      .returning();
    const jobIds = [...new Set(claimed.map(({ jobId }) => jobId))];
    const begun = await tx
      .update(jobs)
      .set({ state: "running", startedAt: sql`COALESCE(${jobs.startedAt}, ${now.getTime()})` })
      .where(inArray(jobs.id, jobIds))
      .returning();
    const byId = new Map(begun.map((job) => [job.id, job]));
    return claimed.flatMap((task) => {
      const job = byId.get(task.jobId);
      return job ? [{ ...task, job }] : [];
    });
  });

/** Whether the caller still holds a task. Call it in the transaction that writes for the task. */
export const isTaskHeld = async (tx: Tx, task: Pick<ClaimedTask, "id" | "leaseEpoch">): Promise<boolean> => {
  const held = await tx.select({ id: tasks.id }).from(tasks).where(isHeld(task));
  return held.length > 0;
};

/**
 * Stores a job's progress. True if the task has reached `mark` for the first time: earlier worker deaths then no longer
 * count.
 */
export const saveProgress = async (tx: Tx, task: ClaimedTask, progress: Json, mark: number): Promise<boolean> => {
  const { rowsAffected } = await tx
    .update(tasks)
    .set({ deaths: 0, furthest: mark })
    .where(and(isHeld(task), lt(tasks.furthest, mark)));
  await tx.update(jobs).set({ progress }).where(eq(jobs.id, task.jobId));
  return rowsAffected > 0;
};

export const endTask = (
  tx: Tx,
  task: Pick<ClaimedTask, "id" | "leaseEpoch">,
  state: "done" | "failed" | "cancelled",
  error: Json | null = null,
) => tx.update(tasks).set({ state, error, workerId: null }).where(isHeld(task));

/**
 * Requeues a task, due at `now`. After a failure, the task is due `pauseMs` later (at most nine minutes), and the
 * failure counts as an attempt.
 */
export const requeueTask = async (
  tx: Tx,
  task: Pick<ClaimedTask, "id" | "leaseEpoch">,
  now: Date,
  failure?: { error: Json; pauseMs: number },
): Promise<void> => {
  const pauseMs = Math.min(MAX_PAUSE_MS, failure?.pauseMs ?? 0);
  await tx
    .update(tasks)
    .set({
      state: "queued",
      workerId: null,
      runAfter: new Date(now.getTime() + pauseMs),
      ...(failure && { error: failure.error, attempts: sql`${tasks.attempts} + 1` }),
    })
    .where(isHeld(task));
};

const findTaskFailure = (db: Reads, jobId: string): Promise<TaskRow | undefined> =>
  db
    .select()
    .from(tasks)
    .where(and(eq(tasks.jobId, jobId), inArray(tasks.state, ["failed", "quarantined"])))
    .orderBy(asc(tasks.id))
    .limit(1)
    .get();

/** Ends a job and returns it. If it failed, the batch run that it was running fails with it. */
const endJob = async (
  tx: Tx,
  id: string,
  end: Pick<JobRow, "state"> & Partial<Pick<JobRow, "result" | "error">>,
  now: Date,
): Promise<JobRow | undefined> => {
  if (end.state === "failed") {
    await tx
      .update(runs)
      .set({ state: "failed", error: end.error, endedAt: now })
      .where(and(eq(runs.jobId, id), inArray(runs.state, [...OPEN])));
  }
  return tx
    .update(jobs)
    .set({ ...end, endedAt: now })
    .where(and(eq(jobs.id, id), inArray(jobs.state, [...OPEN])))
    .returning()
    .get();
};

/** Whether a job has a task in one of these states. Reads one indexed row, however many tasks the job has. */
const hasTask = async (db: Reads, jobId: string, states: readonly TaskRow["state"][]): Promise<boolean> => {
  const found = await db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(eq(tasks.jobId, jobId), inArray(tasks.state, [...states])))
    .limit(1);
  return found.length > 0;
};

/**
 * Ends a job after its last task: failed with its first failure, cancelled, or completed with `result`. Returns the job
 * if this ended it.
 */
export const settleJob = async (tx: Tx, id: string, result: Json | null, now: Date): Promise<JobRow | undefined> => {
  if (await hasTask(tx, id, OPEN)) return undefined;
  const failure = await findTaskFailure(tx, id);
  if (failure) return endJob(tx, id, { state: "failed", error: failure.error }, now);
  if (await hasTask(tx, id, ["cancelled"])) return endJob(tx, id, { state: "cancelled" }, now);
  return endJob(tx, id, { state: "completed", result }, now);
};

/** Cancels a job. Queued tasks end now, running ones when their worker next checks. False if the job has ended. */
export const requestCancel = async (tx: Tx, id: string, now: Date): Promise<boolean> => {
  const { rowsAffected } = await tx
    .update(jobs)
    .set({ cancelRequestedAt: now })
    .where(and(eq(jobs.id, id), inArray(jobs.state, [...OPEN])));
  if (rowsAffected === 0) return false;
  await cancelQueued(tx, id);
  await settleJob(tx, id, null, now);
  return true;
};

/** Withdraws a job that has not started, with the reason for its waiting caller. False if it has started or ended. */
export const withdrawJob = async (tx: Tx, id: string, error: Json, now: Date): Promise<boolean> => {
  const { rowsAffected } = await tx
    .update(jobs)
    .set({ state: "cancelled", error, endedAt: now })
    .where(and(eq(jobs.id, id), eq(jobs.state, "queued")));
  if (rowsAffected === 0) return false;
  await cancelQueued(tx, id);
  return true;
};

const cancelQueued = (tx: Tx, jobId: string) =>
  tx
    .update(tasks)
    .set({ state: "cancelled" })
    .where(and(eq(tasks.jobId, jobId), eq(tasks.state, "queued")));

/** Filters `ids` to jobs that are being cancelled. */
export const listCancelled = async (db: Reads, ids: readonly string[]): Promise<string[]> => {
  if (ids.length === 0) return [];
  const rows = await db
    .select({ id: jobs.id })
    .from(jobs)
    .where(and(inArray(jobs.id, [...ids]), isNotNull(jobs.cancelRequestedAt)));
  return rows.map(({ id }) => id);
};

/** Deletes up to `limit` jobs that ended before `before`, with their tasks. Returns how many. */
export const deleteEndedJobs = async (tx: Tx, before: Date, limit: number): Promise<number> => {
  const old = tx.select({ id: jobs.id }).from(jobs).where(lt(jobs.endedAt, before)).limit(limit);
  return (await tx.delete(jobs).where(inArray(jobs.id, old))).rowsAffected;
};

/** For display: how many tasks are queued and running, and when the oldest queued task was due. */
export const findBacklog = async (
  db: Reads,
): Promise<{ queued: number; running: number; oldestDueAt: Date | null }> => {
  const [row] = await db
    .select({
      queued: sql<number>`COALESCE(SUM(${tasks.state} = 'queued'), 0)`,
      running: sql<number>`COALESCE(SUM(${tasks.state} = 'running'), 0)`,
      oldestMs: sql<number | null>`MIN(CASE WHEN ${tasks.state} = 'queued' THEN ${tasks.runAfter} END)`,
    })
    .from(tasks)
    .where(inArray(tasks.state, [...OPEN]));
  return {
    queued: row?.queued ?? 0,
    running: row?.running ?? 0,
    oldestDueAt: row?.oldestMs == null ? null : new Date(row.oldestMs),
  };
};
