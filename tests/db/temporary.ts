import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Db, openDb } from "../../db/client";
import { migrate } from "../../db/migrate";
import { type AppError, toAppError } from "../../lib/errors";
import { silentLog } from "../../lib/log";

/** A temporary migrated database, deleted at `close`. */
export const temporaryDb = async (): Promise<Db> => {
  const db = await openDb({ url: ":memory:" }, silentLog());
  await migrate(db);
  return db;
};

/** Runs `work` with the path of a new database file in a temporary folder. */
export const withDatabaseFile = async <T>(work: (file: string) => Promise<T>): Promise<T> => {
  const folder = await mkdtemp(join(tmpdir(), "groundwire-test-"));
  try {
    return await work(join(folder, "groundwire.db"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

/** The error of a failed read or write, as the API would return it. */
export const problemOf = async (attempt: PromiseLike<unknown>): Promise<AppError> => {
  try {
    await attempt;
  } catch (error) {
    return toAppError(error);
  }
  throw new Error("It did not fail.");
};
