import { Connection } from "./connection";

/** A few connections to one node: each new stream takes the one with the fewest, lost ones are replaced on demand. */
export class Pool {
  #connections: Connection[] = [];
  #opening: Promise<Connection> | undefined;
  #isClosed = false;

  constructor(
    private readonly options: { url: string; size: number; connectMs: number; pingMs: number },
    private readonly onLost: (cause: unknown) => void,
  ) {}

  /** The least busy connection that is open now; undefined when there is none. */
  available(): Connection | undefined {
    let best: Connection | undefined;
    for (const connection of this.#connections) {
      if (connection.isUsable && (!best || connection.streams < best.streams)) best = connection;
    }
    return best;
  }

  /** Fills the pool up to its size; resolves with one open connection. Throws unavailable when none can be made. */
  async connect(): Promise<Connection> {
    this.#opening ??= this.#fill().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #fill(): Promise<Connection> {
    const { url, size, connectMs, pingMs } = this.options;
    const isAlive = (connection: Connection) => connection.isUsable || connection.isConnecting;
    this.#connections = this.#connections.filter((connection) => isAlive(connection) || connection.streams > 0);
    for (let missing = size - this.#connections.filter(isAlive).length; missing > 0; missing--) {
      this.#connections.push(new Connection(url, connectMs, pingMs, this.onLost));
    }
    // A slow connection stays in the pool for later, even if another one was first.
    const connecting = this.#connections.filter((connection) => connection.isConnecting);
    const open = this.available();
    if (open && connecting.length === 0) return open;
    await Promise.any(connecting.map((connection) => connection.opened())).catch((error: AggregateError) => {
      if (!open) throw error.errors[0];
    });
    if (this.#isClosed) this.destroy();
    const connection = this.available();
    if (!connection) throw new Error("the connection was lost at once");
    return connection;
  }

  /** True while the pool has fewer connections than it should. */
  get isShort(): boolean {
    return this.#connections.filter((connection) => connection.isUsable).length < this.options.size;
  }

  /** No new streams; running ones go on. */
  retire(): void {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.retire("the gateway is closing");
  }

  destroy(): void {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.destroy();
  }
}
