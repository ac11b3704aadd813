import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Log } from "../lib/log";
import { releaseLease, takeLease } from "./leases";
import type { Db } from "./types";

const LEASE = "checkpoint";
const LEASE_MS = 60_000;
const EVERY_MS = 10_000;
/** A smaller log is not checkpointed: that would cost more than it frees. */
const WAL_BYTES = 4 * 1_048_576;

/**
 * Keeps the write-ahead log short. The driver carries SQLite 3.45.1, whose WAL-reset race can lose commits when two
 * connections checkpoint at the same time, so automatic checkpoints are off everywhere and only the holder of one lease
 * among all processes runs them, on its write connection.
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
    /** One round; the timer calls it too. */
    checkpointWhenLong,
    /** Stops and releases the lease. If the release can't be written, another process takes over after a minute. */
    async stop() {
      clearInterval(timer);
      await running;
      if (!isHolder) return;
      await releaseLease(db, LEASE, holder).catch((error) => log.warn({ err: error }, "a lease was not released"));
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
