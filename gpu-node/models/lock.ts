import { Database } from "bun:sqlite";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";

const RETRY_MS = 200;

/**
 * Runs `work` while no other process runs with the same lock file. The lock is the operating system's, held through
 * SQLite, so it is free again the moment its holder ends, however it ends: nothing has to be told stale from alive.
 */
export const withFileLock = async <T>(path: string, work: () => Promise<T>): Promise<T> => {
  await mkdir(dirname(path), { recursive: true });
  const lock = new Database(path, { create: true });
  try {
    while (!tryLock(lock)) await Bun.sleep(RETRY_MS);
    return await work();
  } finally {
    lock.close();
  }
};

const tryLock = (lock: Database): boolean => {
  try {
    lock.run("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") return false;
    throw error;
  }
};
