import type { Db, Tx } from "../../db/client";
import { findBacklog, findJob, type JobRow, requestCancel, withdrawJob } from "../../db/jobs";
import { listWorkers } from "../../db/workers";
import { AppError, fromEnvelope, toEnvelope } from "../../lib/errors";
import { Heartbeats } from "./heartbeats";

/** Shortest and longest pause between two checks of a job. */
const MIN_POLL_MS = 20;
const MAX_POLL_MS = 250;
/** After this time without a worker, a caller stops waiting. A restart takes less time. */
const NO_WORKER_MS = 10_000;
/** `retry-after` for a caller whose job was withdrawn. */
const RETRY_AFTER_MS = 10_000;

export interface WorkersState {
  isAlive: boolean;
  /** undefined if no worker has been seen since the last one shut down. */
  lastBeat: Date | undefined;
}

/** Runs in the transaction that withdraws a job before any worker has started it. */
export type OnWithdrawn = (tx: Tx) => Promise<void>;

interface JobsDeps {
  db: Db;
  now?: () => Date;
  monotonicMs?: () => number;
}

export type Jobs = ReturnType<typeof createJobs>;

export const createJobs = ({ db, now = () => new Date(), monotonicMs = () => performance.now() }: JobsDeps) => {
  const heartbeats = new Heartbeats();

  const get = async (id: string): Promise<JobRow> => {
    const job = await findJob(db, id);
    if (job) return job;
    throw new AppError("not_found", "This job does not exist, or it ended more than 30 days ago.");
  };

  const cancel = (id: string): Promise<boolean> => db.write((tx) => requestCancel(tx, id, now()));

  /** Whether a worker is alive, and the newest heartbeat of all workers. */
  const workers = async (): Promise<WorkersState> => {
    const known = await listWorkers(db);
    heartbeats.keep(known.map(({ id }) => id));
    const alive = known.filter((worker) => heartbeats.isAlive(worker, now(), monotonicMs()));
    const newest = Math.max(...known.map(({ beatAt }) => beatAt.getTime()));
    return { isAlive: alive.length > 0, lastBeat: known.length > 0 ? new Date(newest) : undefined };
  };

  /** True if the job was withdrawn; false if a worker has started it in the meantime. */
  const withdraw = (id: string, reason: AppError, onWithdrawn: OnWithdrawn | undefined): Promise<boolean> =>
    db.write(async (tx) => {
      const isWithdrawn = await withdrawJob(tx, id, { ...toEnvelope(reason, id).error }, now());
      if (isWithdrawn) await onWithdrawn?.(tx);
      return isWithdrawn;
    });

  return {
    get,
    cancel,
    workers,

    /** The numbers of queued and running tasks, and how long the oldest has been due. */
    async backlog() {
      const { queued, running, oldestDueAt } = await findBacklog(db);
      return { queued, running, oldestWaitMs: oldestDueAt ? Math.max(0, now().getTime() - oldestDueAt.getTime()) : 0 };
    },

    /**
     * Waits until a job ends, and returns a completed job. Throws the error of a failed job; client_closed if `signal`
     * is aborted, while the job continues; and unavailable without a worker. In that case, a job that has started
     * continues with the next worker, and any other is withdrawn.
     */
    async wait(id: string, signal: AbortSignal, onWithdrawn?: OnWithdrawn): Promise<JobRow> {
      let aliveAtMs = monotonicMs();
      for (let pauseMs = MIN_POLL_MS; ; pauseMs = Math.min(MAX_POLL_MS, pauseMs * 1.5)) {
        const job = await get(id);
        if (job.state === "completed") return job;
        if (job.state === "failed") throw fromEnvelope({ error: job.error }, "gateway");
        if (job.state === "cancelled") {
          if (job.error) throw fromEnvelope({ error: job.error }, "gateway", RETRY_AFTER_MS);
          throw new AppError("conflict", "This job was cancelled.");
        }
        if (signal.aborted) throw new AppError("client_closed", "The caller has disconnected.");
        if ((await workers()).isAlive) aliveAtMs = monotonicMs();
        else if (monotonicMs() - aliveAtMs >= NO_WORKER_MS) {
          if (job.state === "running") throw interrupted();
          // The next iteration reads the reason from the job, as every other waiting caller does.
          await withdraw(id, notBegun(), onWithdrawn);
        }
        await Bun.sleep(pauseMs);
      }
    },
  };
};

const notBegun = (): AppError =>
  new AppError("unavailable", "No jobs worker is running, so nothing was changed. Start one: bun run start:jobs.");

const interrupted = (): AppError =>
  new AppError(
    "unavailable",
    "The jobs worker that was running this job has stopped. Start one to continue: bun run start:jobs. To wait for the same job, send the request again with its Idempotency-Key.",
    { retryAfterMs: RETRY_AFTER_MS },
  );
