import { blob, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { createdAt, json, partOf, time } from "./columns";

export const jobs = sqliteTable(
  "jobs",
  {
    id: text().primaryKey(),
    /** Selects the handler in `jobs/worker.ts`. */
    kind: text().notNull(),
    state: text({ enum: ["queued", "running", "completed", "failed", "cancelled"] }).notNull(),
    payload: json<Record<string, unknown>>().notNull(),
    /** Progress, in a format that the handler defines. */
    progress: json<Record<string, unknown>>(),
    result: json<Record<string, unknown>>(),
    /** The error of a failed job, as in an error response; see `lib/errors.ts`. */
    error: json<Record<string, unknown>>(),
    createdBy: text().notNull(),
    /** W3C trace context of the request that created the job. Its tasks' spans link to it. */
    traceparent: text(),
    createdAt: createdAt(),
    startedAt: time(),
    endedAt: time(),
    /** When cancellation was requested. Its worker checks every second. */
    cancelRequestedAt: time(),
  },
  (table) => [index("jobs_by_end").on(table.state, table.endedAt)],
);

/**
 * One piece of a job. Every claim and every takeover raises `leaseEpoch`, and a worker's write needs the epoch of its
 * claim, so a worker that was considered dead can't write when it resumes.
 */
export const tasks = sqliteTable(
  "tasks",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    jobId: partOf(() => jobs.id),
    kind: text().notNull(),
    /** quarantined: too many workers died while running it. */
    state: text({ enum: ["queued", "running", "done", "failed", "quarantined", "cancelled"] }).notNull(),
    payload: json<Record<string, unknown>>(),
    runAfter: time().notNull(),
    attempts: integer().notNull().default(0),
    /** Workers that died on it since it last made progress. */
    deaths: integer().notNull().default(0),
    /** The highest mark that any attempt has reached; see `TaskContext.progress`. */
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

/**
 * Live workers. A worker whose `beat` doesn't change for the length of a lease is considered dead, and others get its
 * tasks.
 */
export const workers = sqliteTable("workers", {
  /** `worker_…`, new at each start. */
  id: text().primaryKey(),
  /** Counts heartbeats. Other workers time its changes with their own clocks, so clocks need not agree. */
  beat: integer().notNull().default(0),
  beatAt: time().notNull(),
  startedAt: time().notNull(),
  /** Machine and process, so that a restarted worker knows immediately that its predecessor is gone. */
  host: text().notNull(),
  process: text().notNull(),
  /** SHA-256 of the token that this worker calls the gateway with; null: it can't. */
  tokenHash: blob({ mode: "buffer" }),
});
