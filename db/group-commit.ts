import { sql } from "drizzle-orm";
import { withoutSql } from "./errors";
import type { Db, Tx } from "./types";

/**
 * A transaction accepts no more writes after this many milliseconds, then holds the lock for at most one more write.
 */
const MAX_OPEN_MS = 50;

interface Waiting {
  work(tx: Tx): Promise<unknown>;
  resolve(result: unknown): void;
  reject(error: unknown): void;
}

/**
 * Lets writes that arrive while a transaction is open share it, in order of arrival, because a commit waits for the disk.
 * Each write keeps the guarantees of `Db.write`: it resolves when it is on disk, and changes nothing if it throws.
 */
export const groupCommits = (db: Db, maxOpenMs = MAX_OPEN_MS): Db => {
  const waiting: Waiting[] = [];
  let isWriting = false;

  const commitAll = async (): Promise<void> => {
    isWriting = true;
    while (waiting.length > 0) await commitGroup(db, waiting, maxOpenMs);
    isWriting = false;
  };

  const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    waiting.push({ work, resolve: resolve as Waiting["resolve"], reject });
    if (!isWriting) void commitAll();
    return promise;
  };
  return Object.assign(Object.create(db) as Db, { write });
};

/** Never rejects: each write gets its own result, or the error of the transaction. */
const commitGroup = async (db: Db, waiting: Waiting[], maxOpenMs: number): Promise<void> => {
  const taken: Waiting[] = [];
  const settle: (() => void)[] = [];
  try {
    await db.write(async (tx) => {
      const endMs = performance.now() + maxOpenMs;
      do {
        const next = waiting.shift();
        if (!next) return;
        taken.push(next);
        settle.push(await runInSavepoint(tx, next));
      } while (performance.now() < endMs);
    });
    for (const each of settle) each();
  } catch (error) {
    // If the lock wasn't available, all waiting writes fail: waiting again would delay every later one.
    for (const { reject } of taken.length > 0 ? taken : waiting.splice(0)) reject(error);
  }
};

/**
 * Returns a function that settles the write once the transaction has ended. Throws if the whole transaction was rolled
 * back.
 */
const runInSavepoint = async (tx: Tx, { work, resolve, reject }: Waiting): Promise<() => void> => {
  await tx.run(sql`SAVEPOINT one_write`);
  try {
    const result = await work(tx);
    await tx.run(sql`RELEASE one_write`);
    return () => resolve(result);
  } catch (error) {
    try {
      await tx.run(sql`ROLLBACK TO one_write`);
      await tx.run(sql`RELEASE one_write`);
    } catch {
      // On errors such as a full disk, SQLite rolls back the transaction with all its savepoints.
      throw error;
    }
    return () => reject(withoutSql(error));
  }
};
