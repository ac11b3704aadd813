import { join } from "node:path";
import { databaseOptions, openDb } from "../db/client";
import { migrate } from "../db/migrate";
import { createIdempotency } from "../gateway/idempotency/service";
import { createUploads } from "../gateway/uploads/service";
import type { Config } from "../lib/config";
import type { Log } from "../lib/log";
import { datasetImport } from "./dataset-import";
import { JobLoop } from "./loop";

export interface JobsWorker {
  /** Stops claiming, waits up to `graceMs` for running tasks, requeues the rest, and closes the database. */
  close(graceMs?: number): Promise<void>;
}

/**
 * Starts a worker and resolves when it is ready for work. Any number of workers, on any machine, may share a database.
 */
export const startWorker = async (config: Config, log: Log): Promise<JobsWorker> => {
  const db = await openDb(databaseOptions(config), log);
  try {
    await migrate(db);
    const uploads = createUploads({ db, maxBytes: config.datasets.maxUploadBytes });
    const idempotency = createIdempotency({ db, log });
    const loop = new JobLoop({
      db,
      log,
      leaseMs: config.jobs.leaseMs,
      handlers: [datasetImport({ db, uploads, config, spoolDir: join(config.dataDir, "spool") })],
      sweeps: [idempotency.sweep, uploads.sweep],
    });
    await loop.open();
    log.info({ worker: loop.workerId }, "worker is ready");
    return {
      async close(graceMs = config.jobs.drainMs) {
        await loop.close(graceMs).finally(() => db.close());
        log.info("closed");
      },
    };
  } catch (error) {
    await db.close();
    throw error;
  }
};
