import type { LibSQLDatabase } from "drizzle-orm/libsql";
import type { Writer } from "./writer";

type Drizzle = LibSQLDatabase<Record<string, never>>;

/** A write transaction: drizzle's own object, reads included. */
export type Tx = Parameters<Parameters<Drizzle["transaction"]>[0]>[0];

/** What reads: a `Db` outside of a transaction, a `Tx` inside. */
export type Reads = Pick<Drizzle, "select" | "selectDistinct" | "with" | "$with" | "$count" | "all" | "get">;

/**
 * The one way to the database. Reads are drizzle's, one statement each, of what is committed. A read throws drizzle's
 * error whose cause is an AppError; `toAppError` unwraps it.
 */
export interface Db extends Reads {
  /**
   * Runs `work` in a transaction that holds the write lock from the start, after those that came before; resolves when
   * it is on the disk. Read inside it through `tx`. Throws unavailable (the lock was not free in time), storage_full,
   * internal, or what `work` threw: then nothing was changed.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * A number that changes when any process writes to the database: cheaper to ask for than a read. Two writes within 10 ms
   * may share one. undefined: the database is on a server.
   */
  changeMark(): number | undefined;
  /** For `migrate.ts` and maintenance. */
  readonly writer: Writer;
  /** Waits for running writes. */
  close(): Promise<void>;
}
