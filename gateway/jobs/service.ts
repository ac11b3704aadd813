import type { Db } from "../../db/client";
import { findBacklog, findJob, type JobRow, requestCancel } from "../../db/jobs";
import { listWorkers } from "../../db/workers";
import { AppError, fromEnvelope } from "../../lib/errors";

/** First and longest pause between two looks at a job, in milliseconds. */
const FIRST_LOOK_MS = 20;
const LONGEST_LOOK_MS = 250;
/** A job that nobody has begun by then, with no worker alive, is given up. */
const NO_WORKER_MS = 10_000;
/** Workers beat every ten seconds; one that has not for so long does not count as alive. */
const SILENT_MS = 60_000;

export interface WorkersState {
  isAlive: boolean;
  /** undefined: no worker has been seen since the last one left in good order. */
  lastBeat: Date | undefined;
}

/** What others in the gateway ask of the job worker. */
export interface Jobs {
  /** Throws not_found. */
  get(id: string): Promise<JobRow>;
  /**
   * Waits for the end of a job and answers it when it is completed. Throws what ended it otherwise, unavailable when no
   * worker is there to begin it, client_closed when `signal` is aborted: the job itself goes on.
   */
  wait(id: string, signal: AbortSignal): Promise<JobRow>;
  /** False when it has ended already. */
  cancel(id: string): Promise<boolean>;
  /** Whether a worker is there, and the newest sign of life of any. */
  workers(): Promise<WorkersState>;
  /** Tasks that wait and run, and for how long the oldest has been due. */
  backlog(): Promise<{ queued: number; running: number; oldestWaitMs: number }>;
}

export const createJobs = ({ db, now = () => new Date() }: { db: Db; now?: () => Date }): Jobs => {
  const get = async (id: string): Promise<JobRow> => {
    const job = await findJob(db, id);
    if (job) return job;
    throw new AppError("not_found", "There is no such job, or it ended more than 30 days ago.");
  };

  const cancel = (id: string): Promise<boolean> => db.write((tx) => requestCancel(tx, id, now()));

  const workers = async (): Promise<WorkersState> => {
    const beats = (await listWorkers(db)).map(({ beatAt }) => beatAt.getTime());
    const newest = beats.length > 0 ? Math.max(...beats) : undefined;
    return {
      isAlive: newest !== undefined && now().getTime() - newest < SILENT_MS,
      lastBeat: newest === undefined ? undefined : new Date(newest),
    };
  };

  const assertWorker = async (job: JobRow): Promise<void> => {
    if (job.state !== "queued" || now().getTime() - job.createdAt.getTime() < NO_WORKER_MS) return;
    if ((await workers()).isAlive) return;
    await cancel(job.id);
    throw new AppError(
      "unavailable",
      "No jobs worker runs, so this can't be done now. Start one: bun run start:jobs. Nothing was changed.",
      { retryAfterMs: 10_000 },
    );
  };

  return {
    get,
    cancel,
    workers,

    async backlog() {
      const { queued, running, oldestDueAt } = await findBacklog(db);
      return { queued, running, oldestWaitMs: oldestDueAt ? Math.max(0, now().getTime() - oldestDueAt.getTime()) : 0 };
    },

    async wait(id, signal) {
      for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(LONGEST_LOOK_MS, pauseMs * 1.5)) {
        const job = await get(id);
        if (job.state === "completed") return job;
        if (job.state === "failed") throw fromEnvelope({ error: job.error }, "gateway");
        if (job.state === "cancelled") throw new AppError("conflict", "This was cancelled before it was done.");
        await assertWorker(job);
        if (signal.aborted) throw new AppError("client_closed", "The caller has left.");
        await Bun.sleep(pauseMs);
      }
    },
  };
};
