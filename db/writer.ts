import { type Client, createClient, type InArgs, type InStatement, type Transaction } from "@libsql/client";
import { Mutex } from "../lib/mutex";
import { MAX_RETRY_PAUSE_MS, named, retryBusy, withoutSql } from "./errors";
import type { Target } from "./target";

/** Takes SQLite's write lock without changing anything. */
const TAKE_LOCK = "UPDATE write_lock SET n = n WHERE 0";

/** A process that held the lock longer than this pauses before it takes the lock again, so that others can write. */
const LONG_HOLD_MS = 100;

/** Set once per connection; `concurrency: 1` keeps the client on that one connection. */
const PRAGMAS = [
  "PRAGMA busy_timeout = 0",
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = FULL",
  "PRAGMA foreign_keys = ON",
  "PRAGMA wal_autocheckpoint = 0",
].join(";");

/**
 * The only connection of this process that writes. After SQLITE_BUSY on a prepared statement, @libsql/client 0.18.0
 * acknowledges later writes and loses them. So only `exec` (`executeMultiple`), which keeps no statement, takes the
 * lock: a transaction begins deferred, and its first statement takes the write lock with `exec`.
 */
export class Writer {
  readonly #mutex = new Mutex();
  /** Deadline of the current work's wait for other processes' locks, in monotonic milliseconds. */
  #deadlineMs = 0;
  /** When the current work took the lock, and when the next work may take it, in monotonic milliseconds. */
  #lockedMs = Number.POSITIVE_INFINITY;
  #nextMs = 0;

  private constructor(
    private readonly target: Target,
    private client: Client,
  ) {}

  static async open(target: Target): Promise<Writer> {
    return new Writer(target, await openForWrites(target));
  }

  /**
   * Runs `work` while nothing else in this process writes. Its timeout for other processes' locks starts now. SQLite's
   * lock has no queue: without a pause, back-to-back long transactions would lock out a process that retries.
   */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const deadlineMs = performance.now() + this.target.lockWaitMs;
    return this.#mutex.run(async () => {
      const pauseMs = this.#nextMs - performance.now();
      if (pauseMs > 0) await Bun.sleep(pauseMs);
      this.#deadlineMs = deadlineMs;
      this.#lockedMs = Number.POSITIVE_INFINITY;
      try {
        return await work();
      } catch (error) {
        throw withoutSql(error);
      } finally {
        const nowMs = performance.now();
        if (nowMs - this.#lockedMs > LONG_HOLD_MS) this.#nextMs = nowMs + MAX_RETRY_PAUSE_MS;
      }
    });
  }

  /** Runs a transaction that holds the write lock from the start. Call only inside `exclusive`. */
  begin(takeLock = TAKE_LOCK): Promise<Transaction> {
    const attempt = async () => {
      const transaction = await this.client.transaction(this.target.path ? "deferred" : "write");
      try {
        await transaction.executeMultiple(takeLock);
      } catch (error) {
        await this.#giveUp(transaction);
        throw error;
      }
      this.#lockedMs = performance.now();
      return guarded(transaction, () => this.#giveUp(transaction));
    };
    return named(() => retryBusy(attempt, this.#deadlineMs));
  }

  /** Runs statements outside a transaction, each with `exec`. Call only inside `exclusive`. */
  execute(sql: string): Promise<void> {
    return named(() => retryBusy(() => this.client.executeMultiple(sql), this.#deadlineMs));
  }

  /**
   * Runs the statements in one transaction with foreign keys off, as SQLite requires for rebuilding a table, and checks
   * foreign keys before the commit. The first statement must be a write. Call only inside `exclusive`.
   */
  async migrate(statements: readonly [string, ...string[]]): Promise<void> {
    if (!this.target.path) {
      await named(() => this.client.migrate([...statements]));
      return;
    }
    const [first, ...rest] = statements;
    await this.execute("PRAGMA foreign_keys = OFF");
    try {
      const transaction = await this.begin(first);
      try {
        for (const statement of rest) await transaction.executeMultiple(statement);
        const { rows } = await transaction.execute("PRAGMA foreign_key_check");
        if (rows.length > 0) throw new Error(`A migration leaves ${rows.length} rows that refer to missing rows.`);
        await transaction.commit();
      } catch (error) {
        await transaction.rollback();
        throw error;
      }
    } finally {
      await this.execute("PRAGMA foreign_keys = ON");
    }
  }

  /** Moves the log's content into the file as far as readers and writers allow. Call only inside `exclusive`. */
  async checkpoint(): Promise<void> {
    await this.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  async close(): Promise<void> {
    await this.#mutex.idle();
    this.client.close();
  }

  /** Rolls back. If that fails, the client has dropped its connection and the settings, so a new one is opened. */
  async #giveUp(transaction: Transaction): Promise<void> {
    try {
      if (transaction.closed) transaction.close();
      else await transaction.rollback();
    } catch {
      this.client.close();
      this.client = await openForWrites(this.target);
    }
  }
}

/** The transaction for drizzle. Converts errors, and calls `giveUp` after a failed commit. */
const guarded = (transaction: Transaction, giveUp: () => Promise<void>): Transaction => ({
  execute: (statement: InStatement | string, args?: InArgs) =>
    named(() => transaction.execute(typeof statement === "string" ? { sql: statement, args: args ?? [] } : statement)),
  batch: (statements) => named(() => transaction.batch(statements)),
  executeMultiple: (sql) => named(() => transaction.executeMultiple(sql)),
  commit: () =>
    named(async () => {
      try {
        await transaction.commit();
      } catch (error) {
        await giveUp();
        throw error;
      }
    }),
  rollback: giveUp,
  close: () => transaction.close(),
  get closed() {
    return transaction.closed;
  },
});

const openForWrites = async (target: Target): Promise<Client> => {
  const client = createClient({
    url: target.url,
    authToken: target.authToken,
    concurrency: target.path ? 1 : undefined,
  });
  if (target.path) await retryBusy(() => client.executeMultiple(PRAGMAS), performance.now() + target.lockWaitMs);
  return client;
};
