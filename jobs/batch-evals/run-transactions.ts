import { findRunOfJob } from "../../db/batch-evals";
import type { Tx } from "../../db/client";
import type { RunRow } from "../../db/runs";
import { AppError, toAppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { TaskContext } from "../handler";
import type { Counts } from "./counts";
import { Superseded } from "./stops";

/** How often a transaction is tried while the database is locked or the disk is full. */
const MAX_TRIES = 60;
const PAUSE_MS = 1000;

interface Options {
  context: Pick<TaskContext, "write">;
  runId: string;
  jobId: string;
  /** Each transaction begins with the stored counts. */
  counts: Pick<Counts, "load">;
  log: Pick<Log, "warn">;
  /** Whether the run is stopping, so that a failed transaction isn't retried. */
  isStopping(): boolean;
  pauseMs?: number;
}

/** The transactions of a batch run. They fail with Superseded once another job runs it. */
export class RunTransactions {
  /** Time spent in transactions and waiting for them, in milliseconds. */
  takenMs = 0;

  constructor(private readonly options: Options) {}

  /** Waits while the database is locked or the disk is full, at most a minute. Throws TaskLost and Superseded. */
  async run<T>(work: (tx: Tx, row: RunRow) => Promise<T>): Promise<T> {
    const { context, runId, jobId, counts, log, isStopping, pauseMs = PAUSE_MS } = this.options;
    const startedMs = performance.now();
    try {
      for (let tries = 1; ; tries++) {
        try {
          return await context.write(async (tx) => {
            const row = await findRunOfJob(tx, runId, jobId);
            if (!row) throw new Superseded();
            counts.load(row.progress);
            return work(tx, row);
          });
        } catch (thrown) {
          const { kind } = toAppError(thrown);
          if (kind !== "unavailable" && kind !== "storage_full") throw thrown;
          if (isStopping()) throw thrown;
          if (tries >= MAX_TRIES) throw kind === "storage_full" ? diskFull(thrown) : thrown;
          if (tries === 1) log.warn({ run: runId, code: kind }, "a batch run is waiting for the database");
          await Bun.sleep(pauseMs);
        }
      }
    } finally {
      this.takenMs += performance.now() - startedMs;
    }
  }
}

const diskFull = (cause: unknown): AppError =>
  new AppError(
    "storage_full",
    "The database's disk was full for a minute, so the run has stopped. Nothing is lost. Free some space, then resume the run.",
    { cause },
  );
