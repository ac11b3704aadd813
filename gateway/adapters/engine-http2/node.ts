import type { NodeReadiness } from "../../../gpu-node/protocol";
import { AppError } from "../../../lib/errors";
import { round } from "../../../lib/round";
import type { NodeView } from "../../ports/engine";
import { Breaker } from "./breaker";
import { type Connection, Pool } from "./connection";

const PROBE_MS = 2000;
/** Probe interval while a node is not ready. It is shorter, so that a recovered node is used within a second or two. */
const MIN_RETRY_MS = 250;
const MAX_RETRY_MS = 1000;
const PROBE_TIMEOUT_MS = 3000;
/** A node may ask for a longer pause, but it is tried again after this time. */
const MAX_REST_MS = 30_000;

interface NodeOptions {
  url: string;
  token: string | undefined;
  connections: number;
  connectMs: number;
  pingMs: number;
  /** A node is stuck if its streams wait this long for a token. Must exceed the time between two probes. */
  stuckMs: number;
}

/** Tracks whether a node's streams to this gateway still produce tokens. Times are `performance.now()` values. */
export class TokenFlow {
  #owed = 0;
  #lastAt = 0;

  /** Call when a stream starts to wait for its next token. */
  begin(now: number): void {
    if (this.#owed++ === 0) this.#lastAt = now;
  }

  /** Call when any stream receives a token. */
  token(now: number): void {
    this.#lastAt = now;
  }

  /** Call when a stream stops waiting: it has ended, or its reader is slow. */
  end(): void {
    this.#owed--;
  }

  /** Milliseconds without a token while streams wait for one; undefined if no stream is waiting. */
  silentMs(now: number): number | undefined {
    return this.#owed > 0 ? now - this.#lastAt : undefined;
  }
}

/** One GPU node: its connections, its readiness reports and the state of its streams. */
export class EngineNode {
  readonly id: string;
  readonly breaker = new Breaker();
  readonly pool: Pool;
  readonly flow = new TokenFlow();
  outstanding = 0;
  /** Whether an admin has drained it. */
  isDrained = false;
  readiness: NodeReadiness | undefined;
  lastError: string | undefined;
  #isReachable = false;
  #latencyMs: number | undefined;
  #state: NodeView["state"] = "loading";
  #since = new Date();
  #retryMs = MIN_RETRY_MS;
  #timer: Timer | undefined;
  #probedAt = Number.NEGATIVE_INFINITY;
  #restsUntil = 0;
  #isClosed = false;
  readonly #probed = Promise.withResolvers<void>();

  constructor(private readonly options: NodeOptions) {
    this.id = new URL(options.url).host;
    const { url, connections: size, connectMs, pingMs } = options;
    this.pool = new Pool({ url, size, connectMs, pingMs }, (cause) => this.#lost(cause));
  }

  /** Starts probing, until `close`. */
  open(): void {
    void this.#probe();
  }

  /** Resolves after the first probe, whatever its result. */
  probed(): Promise<void> {
    return this.#probed.promise;
  }

  /** Probes the node now instead of at the next interval, unless it was probed very recently. */
  recheck(): void {
    if (performance.now() - this.#probedAt >= MIN_RETRY_MS) this.#schedule(0);
  }

  /** Prefers other nodes for the time that this node asked for in `retry-after`. */
  rest(forMs = 0): void {
    this.#restsUntil = Math.max(this.#restsUntil, performance.now() + Math.min(forMs, MAX_REST_MS));
  }

  isResting(): boolean {
    return this.#restsUntil > 0 && this.#restsUntil > performance.now();
  }

  view(): NodeView {
    const state = this.state;
    if (state !== this.#state) {
      this.#state = state;
      this.#since = new Date();
    }
    return {
      id: this.id,
      // Omits the URL's user name and password.
      url: new URL(this.options.url).origin,
      state,
      since: this.#since,
      outstanding: this.outstanding,
      latencyMs: this.#latencyMs,
      readiness: this.readiness,
      lastError: this.lastError,
      isDrained: this.isDrained,
    };
  }

  get state(): NodeView["state"] {
    if (!this.#isReachable || !this.readiness) return "down";
    if (this.isDrained) return "draining";
    if (this.breaker.isEjected) return "ejected";
    if (this.readiness.state === "failed") return "down";
    if (this.readiness.state !== "ready") return this.readiness.state;
    if (this.#isSilent()) return "stuck";
    const { slots, queue } = this.readiness;
    return slots.running >= slots.total && queue.depth >= queue.capacity ? "busy" : "ready";
  }

  /**
   * True if no stream of this gateway receives tokens and, at the last probe, no stream of other gateways did either.
   * If theirs do, ours are only waiting for a slot.
   */
  #isSilent(): boolean {
    const { stuckMs } = this.options;
    const isOursSilent = (this.flow.silentMs(performance.now()) ?? 0) >= stuckMs;
    return isOursSilent && (this.readiness?.last_token_ms ?? Number.POSITIVE_INFINITY) >= stuckMs;
  }

  serves(model: string): boolean {
    return this.readiness?.models.some(({ id }) => id === model) ?? false;
  }

  /** An open connection, synchronously if there is one. Throws unavailable if it can't connect. */
  connection(): Connection | Promise<Connection> {
    return this.pool.available() ?? this.pool.connect();
  }

  headers(path: string, method: "GET" | "POST"): Record<string, string> {
    const headers: Record<string, string> = { ":method": method, ":path": path };
    if (this.options.token) headers.authorization = `Bearer ${this.options.token}`;
    return headers;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #lost(cause: unknown): void {
    if (this.pool.available()) return;
    this.#isReachable = false;
    this.lastError = cause instanceof Error ? cause.message : String(cause);
    this.#schedule(MIN_RETRY_MS);
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    if (!this.#isClosed) this.#timer = setTimeout(() => void this.#probe(), afterMs);
  }

  async #probe(): Promise<void> {
    this.#probedAt = performance.now();
    try {
      const connection = this.pool.isShort ? await this.pool.connect() : await this.connection();
      const startedAt = performance.now();
      const readiness = await readReadiness(connection, this.headers("/readyz", "GET"));
      this.#latencyMs = round(performance.now() - startedAt, 2);
      // The node has reconnected, so earlier failures don't count any more.
      if (!this.#isReachable) this.breaker.succeeded();
      this.#isReachable = true;
      this.readiness = readiness;
      if (readiness.state === "ready") this.lastError = undefined;
      else if (readiness.state === "failed") this.lastError = readiness.reason;
      this.#retryMs = MIN_RETRY_MS;
      this.#schedule(readiness.state === "ready" ? PROBE_MS : MIN_RETRY_MS);
    } catch (error) {
      this.#isReachable = false;
      this.lastError = error instanceof AppError ? error.message : String(error);
      this.#schedule(this.#retryMs);
      this.#retryMs = Math.min(this.#retryMs * 2, MAX_RETRY_MS);
    } finally {
      this.view();
      this.#probed.resolve();
    }
  }
}

/** `GET /readyz`, which answers 200 or 503 with the same body. */
const readReadiness = (connection: Connection, headers: Record<string, string>): Promise<NodeReadiness> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const stream = connection.request(headers, undefined, () => {
      clearTimeout(timer);
      try {
        const body = JSON.parse(Buffer.concat(chunks).toString());
        if (typeof body?.state !== "string" || !Array.isArray(body.models)) throw new Error("not a readiness report");
        resolve(body);
      } catch (cause) {
        reject(new AppError("unavailable", "The GPU node's /readyz did not return a readiness report.", { cause }));
      }
    });
    const timer = setTimeout(() => {
      reject(new AppError("unavailable", `The GPU node did not answer /readyz within ${PROBE_TIMEOUT_MS} ms.`));
      connection.reset(stream);
    }, PROBE_TIMEOUT_MS);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
  });
