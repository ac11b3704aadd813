import type { LibSQLDatabase } from "drizzle-orm/libsql";
import type { Writer } from "./writer";

type Drizzle = LibSQLDatabase<Record<string, never>>;

/** A write transaction: drizzle's own transaction object, which can also read. */
export type Tx = Parameters<Parameters<Drizzle["transaction"]>[0]>[0];

/** Anything that can run reads: a `Db` outside a transaction, a `Tx` inside one. */
export type Reads = Pick<Drizzle, "select" | "selectDistinct" | "with" | "$with" | "$count" | "all" | "get">;

/**
 * The database. Reads use drizzle, one statement each, and see committed data. A read throws drizzle's error with an
 * AppError as its cause; `toAppError` unwraps it.
 */
export interface Db extends Reads {
  /**
   * Runs `work` after earlier writes, in a transaction that holds the write lock from the start. Resolves when the
   * transaction is on disk. Inside `work`, read through `tx`. Throws unavailable (lock timeout), storage_full,
   * internal, or the error of `work`, and then changes nothing.
   */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /**
   * A number that changes when any process writes to the database. Getting it is cheaper than a read. Two writes within
   * 10 ms may share a number. undefined if the database is on a server.
   */
  changeMark(): number | undefined;
  /** For `migrate.ts` and maintenance. */
  readonly writer: Writer;
  close(): Promise<void>;
}
