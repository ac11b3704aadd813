import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Log } from "../lib/log";
import { releaseLease, takeLease } from "./leases";
import type { Db } from "./types";

const LEASE = "checkpoint";
const LEASE_MS = 60_000;
const EVERY_MS = 10_000;
/** Minimum size of the log, in bytes. Checkpointing a smaller log costs more than it frees. */
const WAL_BYTES = 4 * 1_048_576;

/**
 * Keeps the write-ahead log short. The driver contains SQLite 3.45.1, whose WAL-reset race can lose commits when two
 * connections checkpoint at the same time. So automatic checkpoints are off everywhere, and only the process that holds
 * the checkpoint lease runs checkpoints, on its write connection.
 */
export const keepCheckpointed = (db: Pick<Db, "write" | "writer">, path: string, log: Log) => {
  const holder = randomUUID();
  let isHolder = false;
  let running = Promise.resolve();

  const checkpointWhenLong = async () => {
    if ((await walBytes(path)) < WAL_BYTES) return;
    isHolder = await takeLease(db, LEASE, holder, new Date(), LEASE_MS);
    if (isHolder) await db.writer.exclusive(() => db.writer.checkpoint());
  };
  const timer = setInterval(() => {
    running = running
      .then(checkpointWhenLong)
      .catch((error) => log.warn({ err: error }, "checkpoint failed, will be retried"));
  }, EVERY_MS);
  timer.unref();

  return {
    /** Runs one round immediately. The timer calls it too. */
    checkpointWhenLong,
    /** Stops and releases the lease. If the release can't be written, another process takes over after a minute. */
    async stop() {
      clearInterval(timer);
      await running;
      if (!isHolder) return;
      await releaseLease(db, LEASE, holder).catch((error) => log.warn({ err: error }, "checkpoint lease not released"));
    },
  };
};

const walBytes = async (path: string): Promise<number> => {
  try {
    return (await stat(`${path}-wal`)).size;
  } catch {
    return 0; // no log yet
  }
};
