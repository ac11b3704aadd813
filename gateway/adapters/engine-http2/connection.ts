import http2 from "node:http2";
import { AppError } from "../../../lib/errors";

/** A node closes a connection that resets about 1,000 streams in a burst. Connections are replaced well before that. */
const MAX_RESETS = 400;

/** The node's responses and our own headers are not checked again: that would take a microsecond per request. */
const OPTIONS: http2.ClientSessionOptions & { strictSingleValueFields: boolean } = {
  settings: { enablePush: false },
  // In MiB. With the default, a connection breaks once the bodies of its requests total more than 10 MB.
  maxSessionMemory: 1024,
  strictSingleValueFields: false,
  strictFieldWhitespaceValidation: false,
};

/** One HTTP/2 connection to a node. `onGone` is called once, when the connection accepts no more streams. */
export class Connection {
  streams = 0;
  #resets = 0;
  #state: "connecting" | "open" | "gone" = "connecting";
  readonly #session: http2.ClientHttp2Session;
  readonly #opened = Promise.withResolvers<void>();
  #ping: Timer | undefined;

  constructor(
    readonly url: string,
    connectMs: number,
    /** How often the node is pinged. If it doesn't answer within the same time, the connection is closed. */
    private readonly pingMs: number,
    private readonly onGone: (cause: unknown) => void,
  ) {
    const session = http2.connect(url, OPTIONS);
    this.#session = session;
    const timer = setTimeout(() => session.destroy(new Error(`no connection within ${connectMs} ms`)), connectMs);
    session.once("connect", () => {
      clearTimeout(timer);
      this.#state = "open";
      this.#ping = setInterval(() => this.#checkPeer(), pingMs);
      this.#opened.resolve();
    });
    let cause: unknown = new Error("the connection was closed");
    session.on("error", (error) => {
      cause = error;
    });
    session.once("goaway", () => this.retire("the node sent GOAWAY"));
    session.once("close", () => {
      clearTimeout(timer);
      clearInterval(this.#ping);
      this.#gone(cause);
      this.#opened.reject(new AppError("unavailable", unreachable(cause), { source: "gateway", cause }));
    });
    // Waiting callers get the rejection. Without any, it is ignored.
    this.#opened.promise.catch(() => undefined);
  }

  get isUsable(): boolean {
    return this.#state === "open";
  }

  get isConnecting(): boolean {
    return this.#state === "connecting";
  }

  opened(): Promise<void> {
    return this.#opened.promise;
  }

  /**
   * Opens a stream and sends the whole request. The caller must add its listeners in the same tick; `onClose` is called
   * when the stream has closed. Throws upstream_error if the connection has closed in the meantime.
   */
  request(headers: http2.OutgoingHttpHeaders, body: string | undefined, onClose: () => void): http2.ClientHttp2Stream {
    // Without options, `request` has less to copy and check.
    const stream = this.#openStream(headers, body === undefined ? { endStream: true } : undefined);
    this.streams++;
    stream.once("close", () => {
      this.streams--;
      onClose();
    });
    if (body !== undefined) stream.end(body);
    return stream;
  }

  #openStream(
    headers: http2.OutgoingHttpHeaders,
    options?: http2.ClientSessionRequestOptions,
  ): http2.ClientHttp2Stream {
    try {
      return this.#session.request(headers, options);
    } catch (cause) {
      this.#gone(cause);
      throw new AppError("upstream_error", "The connection to the GPU node was lost. Try again.", {
        source: "gateway",
        cause,
      });
    }
  }

  /** Resets a stream, which frees the node's slot. */
  reset(stream: http2.ClientHttp2Stream): void {
    if (stream.closed || stream.destroyed) return;
    stream.close(http2.constants.NGHTTP2_CANCEL);
    if (++this.#resets === MAX_RESETS) this.retire("many streams were reset on it");
  }

  /** Stops accepting new streams; running ones finish normally. */
  retire(cause: unknown): void {
    if (!this.#session.closed && !this.#session.destroyed) this.#session.close();
    this.#gone(cause);
  }

  destroy(): void {
    this.#session.destroy();
  }

  #gone(cause: unknown): void {
    const wasUsable = this.isUsable;
    this.#state = "gone";
    if (wasUsable) this.onGone(cause);
  }

  #checkPeer(): void {
    const session = this.#session;
    if (session.closed || session.destroyed) return;
    const timer = setTimeout(() => session.destroy(new Error("the node did not answer a ping")), this.pingMs);
    session.ping((error) => {
      clearTimeout(timer);
      if (error && !session.destroyed) session.destroy(error);
    });
  }
}

/** Error codes of failed name resolution. */
const NAME_ERRORS: ReadonlySet<unknown> = new Set(["ENOTFOUND", "EAI_AGAIN", "ENODATA", "ESERVFAIL", "ETIMEOUT"]);

/** Why a node can't be reached, and what an operator can do. The message doesn't contain the address. */
const unreachable = (cause: unknown): string => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (NAME_ERRORS.has(code)) {
    return "The GPU node can't be reached: its host name can't be resolved. Check GROUNDWIRE_NODES and DNS.";
  }
  if (code === "ECONNREFUSED") {
    return "The GPU node can't be reached: it refuses connections. Start it, or correct its port in GROUNDWIRE_NODES.";
  }
  return "The GPU node can't be reached. Check that it is running, and check the network and DNS.";
};

/** A pool of connections to one node. A new stream uses the least busy one; lost connections are replaced on demand. */
export class Pool {
  #connections: Connection[] = [];
  #opening: Promise<Connection> | undefined;
  #isClosed = false;

  constructor(
    private readonly options: { url: string; size: number; connectMs: number; pingMs: number },
    private readonly onLost: (cause: unknown) => void,
  ) {}

  /** The least busy open connection; undefined if no connection is open. */
  available(): Connection | undefined {
    let best: Connection | undefined;
    for (const connection of this.#connections) {
      if (connection.isUsable && (!best || connection.streams < best.streams)) best = connection;
    }
    return best;
  }

  /** Fills the pool to its size and resolves with one open connection. Throws unavailable if it can't connect. */
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
    // A slow connection stays in the pool, even if another one was faster.
    const connecting = this.#connections.filter((connection) => connection.isConnecting);
    const open = this.available();
    if (open && connecting.length === 0) return open;
    await Promise.any(connecting.map((connection) => connection.opened())).catch((error: AggregateError) => {
      if (!open) throw error.errors[0];
    });
    if (this.#isClosed) this.destroy();
    const connection = this.available();
    if (!connection) throw new Error("the connection was lost immediately");
    return connection;
  }

  /** True while the pool has fewer connections than it should. */
  get isShort(): boolean {
    return this.#connections.filter((connection) => connection.isUsable).length < this.options.size;
  }

  destroy(): void {
    this.#isClosed = true;
    for (const connection of this.#connections) connection.destroy();
  }
}
