import { toAppError } from "../../lib/errors";
import { succeedsWithin } from "../../lib/with-timeout";

export interface DatabaseAccess {
  /** One cheap read; throws when the database can't be used. */
  pingDatabase(): Promise<unknown>;
  /** One small write that reaches the disk; throws when there can be none. */
  writeDatabase(): Promise<unknown>;
}

/** A read or write that takes longer is not waited for. */
const ANSWER_MS = 1000;
/** Writes are tried this often at most, and only while somebody asks: each one costs a sync of the disk. */
const WRITE_EVERY_MS = 3000;
/** A write may wait for other processes; one that waits longer than this counts as failed. */
const LONGEST_WRITE_MS = 4000;

/**
 * Answers why the database can't be used, or undefined when it can. A database that can be read but not written (a full
 * disk, a file that became read-only) is found within five seconds of being asked about once a second.
 */
export const databaseProbe = (
  { pingDatabase, writeDatabase }: DatabaseAccess,
  now = () => performance.now(),
  answerMs = ANSWER_MS,
) => {
  let writing: Promise<void> | undefined;
  let begunAt = Number.NEGATIVE_INFINITY;
  let problem: string | undefined;

  const write = async (): Promise<void> => {
    try {
      await writeDatabase();
      problem = undefined;
    } catch (thrown) {
      const isFull = toAppError(thrown).kind === "storage_full";
      problem = isFull ? "There is no space left to write" : "It can be read but not written";
    } finally {
      writing = undefined;
    }
  };

  return async (): Promise<string | undefined> => {
    const isAnswering = await succeedsWithin(pingDatabase(), answerMs);
    if (!isAnswering) return "It does not answer";
    if (!writing && now() - begunAt >= WRITE_EVERY_MS) {
      begunAt = now();
      writing = write();
    }
    if (writing) await succeedsWithin(writing, answerMs);
    return writing && now() - begunAt > LONGEST_WRITE_MS ? "A write does not come to its end" : problem;
  };
};
