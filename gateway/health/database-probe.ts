import { toAppError } from "../../lib/errors";
import { succeedsWithin } from "../../lib/with-timeout";
import type { ReasonCode } from "./contract";

/** Timeout of a read or write of the database. */
export const ANSWER_MS = 1000;

export interface DatabaseAccess {
  /** One cheap read. Rejects if the database can't be read. */
  pingDatabase(): Promise<unknown>;
  /** One small write that reaches the disk. Rejects if the database can't be written. */
  writeDatabase(): Promise<unknown>;
}

/** Minimum time between two writes. They only happen on request, because each one syncs the disk. */
const WRITE_EVERY_MS = 3000;
/** A write may wait for other processes. After this time, it counts as failed. */
const MAX_WRITE_MS = 4000;

/**
 * Returns why the database can't be used, or undefined if it can. If called once a second, it detects a database that
 * can be read but not written (a full disk, a read-only file) within five seconds.
 */
export const databaseProbe = (
  { pingDatabase, writeDatabase }: DatabaseAccess,
  now = () => performance.now(),
  answerMs = ANSWER_MS,
) => {
  let writing: Promise<void> | undefined;
  let startedAt = Number.NEGATIVE_INFINITY;
  let problem: string | undefined;

  const write = async (): Promise<void> => {
    try {
      await writeDatabase();
      problem = undefined;
    } catch (thrown) {
      const isFull = toAppError(thrown).kind === "storage_full";
      problem = isFull ? "No disk space left" : "Readable but not writable";
    } finally {
      writing = undefined;
    }
  };

  return async (): Promise<string | undefined> => {
    const isAnswering = await succeedsWithin(pingDatabase(), answerMs);
    if (!isAnswering) return "Not responding";
    if (!writing && now() - startedAt >= WRITE_EVERY_MS) {
      startedAt = now();
      writing = write();
    }
    if (writing) await succeedsWithin(writing, answerMs);
    return writing && now() - startedAt > MAX_WRITE_MS ? "A write is hanging" : problem;
  };
};

/** The code of each problem that the probe returns. */
export const DATABASE_CODES: Readonly<Record<string, ReasonCode>> = {
  "Not responding": "not_responding",
  "No disk space left": "disk_full",
  "Readable but not writable": "not_writable",
  "A write is hanging": "not_writable",
};
