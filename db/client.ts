import { statSync } from "node:fs";
import { type Client, createClient, type InArgs, type InStatement, type ResultSet } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { AppError } from "../lib/errors";
import type { Log } from "../lib/log";
import { keepCheckpointed } from "./checkpoint";
import { isBusy, named, retryBusy } from "./errors";
import { type DbOptions, resolveTarget, type Target } from "./target";
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

/**
 * The connection for single-statement reads, with the interface that drizzle expects. A read is never inside a
 * transaction, sees committed data, and doesn't wait for writers. SQLite itself rejects writes here (`query_only`).
 */
class Reader implements Client {
  #client: Client;
  readonly protocol: string;

  private constructor(
    private readonly target: Target,
    client: Client,
  ) {
    this.#client = client;
    this.protocol = client.protocol;
  }

  static async open(target: Target): Promise<Reader> {
    return new Reader(target, await openForReads(target));
  }

  get closed(): boolean {
    return this.#client.closed;
  }

  async execute(statement: InStatement | string, args?: InArgs): Promise<ResultSet> {
    const query = typeof statement === "string" ? { sql: statement, args: args ?? [] } : statement;
    const attempt = async () => {
      try {
        return await this.#client.execute(query);
      } catch (error) {
        // After a lock error, the driver leaves the statement and its snapshot open, so the connection is replaced.
        if (isBusy(error)) await this.reconnect();
        throw error;
      }
    };
    return named(() => retryBusy(attempt, performance.now() + this.target.lockWaitMs));
  }

  async reconnect(): Promise<void> {
    const reopened = await openForReads(this.target);
    this.#client.close();
    this.#client = reopened;
  }

  close(): void {
    this.#client.close();
  }

  batch = refuse;
  migrate = refuse;
  transaction = refuse;
  executeMultiple = refuse;
  sync = refuse;
}

const openForReads = async (target: Target): Promise<Client> => {
  if (!target.path) return createClient({ url: target.url, authToken: target.authToken });
  const client = createClient({ url: target.url, concurrency: 1 });
  await client.executeMultiple("PRAGMA busy_timeout = 0; PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0");
  return client;
};
