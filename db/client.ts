import { statSync } from "node:fs";
import type { Client } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { AppError } from "../lib/errors";
import type { Log } from "../lib/log";
import { keepCheckpointed } from "./checkpoint";
import { Reader } from "./reader";
import { type DbOptions, resolveTarget } from "./target";
import type { Db, Reads, Tx } from "./types";
import { Writer } from "./writer";

export { type DbOptions, databaseOptions } from "./target";
export type { Db, Reads, Tx } from "./types";

/** A longer write transaction is logged, because it blocks other writers. A libSQL server aborts it after 5 s. */
const SLOW_WRITE_MS = 1000;

/**
 * Opens the database file, creates it if it is missing, or connects to the server. `migrate` creates the schema. Throws
 * unavailable with the reason.
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
        if (tookMs > SLOW_WRITE_MS) log.warn({ tookMs }, "a long write transaction blocked other writers");
      }
    });

  const { path } = target;
  const changeMark = () =>
    path === undefined ? undefined : statSync(`${path}-wal`, { throwIfNoEntry: false })?.mtimeMs;
  const db = Object.assign(drizzle({ client: reader, casing: "snake_case" }), { write, writer, changeMark });
  const maintenance = path ? keepCheckpointed(db, path, log) : undefined;
  const close = async () => {
    await maintenance?.stop();
    await writer.close();
    reader.close();
    target.discard();
  };
  return Object.assign(db, { close });
};

/** Opens the database for reads only, such as those of a Worker. It must be migrated. */
export const openReads = async (options: DbOptions): Promise<Reads> =>
  drizzle({ client: await Reader.open(resolveTarget(options)), casing: "snake_case" });

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
  throw new Error("Use db.write to write.");
};

/** The parts of a client that drizzle needs to open a transaction. */
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
