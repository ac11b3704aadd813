import type { Client } from "@libsql/client";
import { drizzle, type LibSQLDatabase } from "drizzle-orm/libsql";
import { AppError } from "../lib/errors";
import type { Log } from "../lib/log";
import { keepCheckpointed } from "./checkpoint";
import { Reader } from "./reader";
import { type DbOptions, resolveTarget } from "./target";
import { Writer } from "./writer";

export { type DbOptions, databaseOptions } from "./target";

type Drizzle = LibSQLDatabase<Record<string, never>>;

/** A write transaction: drizzle's own object, reads included. */
export type Tx = Parameters<Parameters<Drizzle["transaction"]>[0]>[0];

/** What reads: a `Db` outside of a transaction, a `Tx` inside. */
export type Reads = Pick<Drizzle, "select" | "selectDistinct" | "with" | "$with" | "$count" | "all" | "get">;

/** A transaction that takes longer blocks every other writer; a libSQL server ends it after five seconds. */
const SLOW_WRITE_MS = 1000;

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
  /** For `migrate.ts` and maintenance. */
  readonly writer: Writer;
  /** Waits for running writes. */
  close(): Promise<void>;
}

/**
 * Opens the file, made where there is none, or connects to the server; the schema comes with `migrate`. Throws
 * unavailable, with the reason for whoever starts the process.
 */
export const openDb = async (options: DbOptions, log: Log): Promise<Db> => {
  const { target, writer, reader } = await connect(options);
  const writes = drizzle({ client: transactionsOf(writer), casing: "snake_case" });

  const write = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    writer.exclusive(async () => {
      const startedMs = performance.now();
      try {
        return await writes.transaction(work);
      } finally {
        const tookMs = Math.round(performance.now() - startedMs);
        if (tookMs > SLOW_WRITE_MS) log.warn({ tookMs }, "a write transaction blocked others for long");
      }
    });

  const db = Object.assign(drizzle({ client: reader, casing: "snake_case" }), { write, writer });
  const maintenance = target.path ? keepCheckpointed(db, target.path, log) : undefined;
  const close = async () => {
    await maintenance?.stop();
    await writer.close();
    reader.close();
    target.discard();
  };
  return Object.assign(db, { close });
};

const connect = async (options: DbOptions) => {
  try {
    const target = resolveTarget(options);
    return { target, writer: await Writer.open(target), reader: await Reader.open(target) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const where = options.url.startsWith("file:") ? options.url.slice("file:".length) : "server";
    throw new AppError("unavailable", `The database ${where} can't be opened: ${reason}`, { cause });
  }
};

const refuse = (): never => {
  throw new Error("A write goes through db.write.");
};

/** All that drizzle needs of a client to open a transaction. */
const transactionsOf = (writer: Writer): Client => ({
  transaction: () => writer.begin(),
  execute: refuse,
  batch: refuse,
  migrate: refuse,
  executeMultiple: refuse,
  sync: refuse,
  reconnect: refuse,
  close: refuse,
  closed: false,
  protocol: "file",
});
