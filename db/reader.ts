import { type Client, createClient, type InArgs, type InStatement, type ResultSet } from "@libsql/client";
import { isBusy, named, retryBusy } from "./errors";
import type { Target } from "./target";

const refuse = (): never => {
  throw new Error("This connection is read-only. Use db.write to write.");
};

/**
 * The connection for single-statement reads, with the interface that drizzle expects. A read is never inside a
 * transaction, sees committed data, and doesn't wait for writers. SQLite itself rejects writes here (`query_only`).
 */
export class Reader implements Client {
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
