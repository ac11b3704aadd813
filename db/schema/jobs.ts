import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { createdAt, json, time } from "./columns";

/** Something long that a worker does. Its tasks are what is claimed, tried again and counted. */
export const jobs = sqliteTable(
  "jobs",
  {
    /** `job_…` */
    id: text().primaryKey(),
    /** Which handler of `jobs/worker.ts` does it. */
    kind: text().notNull(),
    state: text({ enum: ["queued", "running", "completed", "failed", "cancelled"] }).notNull(),
    /** What the handler was asked for. */
    payload: json<Record<string, unknown>>().notNull(),
    /** How far it is, in the handler's own words. */
    progress: json<Record<string, unknown>>(),
    /** What came of it, when it is completed. */
    result: json<Record<string, unknown>>(),
    /** What ended it: the `error` of an envelope, see `lib/errors.ts`. */
    error: json<Record<string, unknown>>(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    startedAt: time(),
    endedAt: time(),
    /** Set by whoever no longer wants it; its worker looks every second. */
    cancelRequestedAt: time(),
  },
  (table) => [index("jobs_by_end").on(table.state, table.endedAt)],
);

/**
 * One piece of a job. `leaseEpoch` grows with every claim and every rescue, and a worker writes only where it still is
 * the one that it claimed: who was taken for dead and comes back changes nothing.
 */
export const tasks = sqliteTable(
  "tasks",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    jobId: text()
      .notNull()
      .references(() => jobs.id, { onDelete: "cascade" }),
    kind: text().notNull(),
    /** quarantined: workers died of it. */
    state: text({ enum: ["queued", "running", "done", "failed", "quarantined", "cancelled"] }).notNull(),
    payload: json<Record<string, unknown>>(),
    runAfter: time().notNull(),
    /** Failures of the work itself. */
    attempts: integer().notNull().default(0),
    /** Workers that died in it since it last got further than ever before. */
    deaths: integer().notNull().default(0),
    /** The farthest mark that any of its tries has reached; see `TaskContext.progress`. */
    furthest: integer().notNull().default(0),
    workerId: text(),
    leaseEpoch: integer().notNull().default(0),
    error: json<Record<string, unknown>>(),
  },
  (table) => [
    index("tasks_due").on(table.state, table.kind, table.runAfter),
    index("tasks_by_job").on(table.jobId, table.state),
    index("tasks_by_worker").on(table.workerId, table.state),
  ],
);

/** Workers that live. One whose `beat` stands still for a lease's time is taken for dead, and its tasks go to others. */
export const workers = sqliteTable("workers", {
  /** `worker_…`, new with every start. */
  id: text().primaryKey(),
  /** Counts heartbeats: watchers compare it by their own clocks, so that no clock has to be right. */
  beat: integer().notNull().default(0),
  beatAt: time().notNull(),
  startedAt: time().notNull(),
  /** Machine and process, so that one that restarts here knows at once that its predecessor is gone. */
  host: text().notNull(),
  process: text().notNull(),
});
