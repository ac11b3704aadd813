import type { Db, Tx } from "../../db/client";
import { deleteOldRequests, deleteReplacedRequest, insertRequests } from "../../db/requests";
import type { Log } from "../../lib/log";
import { isFailure } from "../metrics/fault-domain";
import type { FinishedRequest, RequestLogger } from "../ports/recorder";
import { type Entry, toNewRow } from "./rows";

const FLUSH_MS = 1000;
/** Rows per transaction. Writing them takes about 5 ms, during which other requests wait. */
const BLOCK_ROWS = 500;
/** Requests kept in memory while the database can't be written, and their bodies' characters. Others are dropped. */
const MAX_WAITING = 20_000;
const MAX_WAITING_CHARACTERS = 16 * 1_048_576;
/**
 * Requests that are logged per second on average; others are dropped. More would cost several percent of a request's
 * CPU time, and push older entries out of the log within minutes. Failures have room of their own, as have requests
 * without a valid key, because anyone can send any number of them.
 */
const PER_SECOND = { succeeded: 200, failed: 100, anonymous: 50 };
const KINDS = ["succeeded", "failed", "anonymous"] as const;
/** A burst may use the room of this many seconds. */
const BURST_SECONDS = 20;
/** Short, so that each pass deletes little: deleting 24,000 rows at once made the write-ahead log grow by 16 MiB. */
const CLEAN_MS = 60_000;
/** Pause between two blocks of deletions, so that other writes get their turn. */
const CLEAN_PAUSE_MS = 50;
const DAY_MS = 86_400_000;

export interface RequestLogOptions {
  /** How long requests are kept, in days. */
  days: number;
  /** How many requests are kept; 0: nothing is logged. */
  rows: number;
}

interface RequestLogDeps {
  db: Db;
  log: Pick<Log, "warn">;
  options: RequestLogOptions;
  /** Milliseconds since 1970. */
  now: () => number;
}

/**
 * Whether a request is logged: every API call, and page requests that failed, changed something or called a
 * model. Viewed pages and their files are not.
 */
const isLogged = (request: FinishedRequest): boolean => {
  const { route, method, keyId, work } = request;
  if (route.startsWith("/v1/") || route === "/mcp") return true;
  // A visitor who isn't signed in is sent to the sign-in page.
  if (keyId === undefined && request.status === 401) return false;
  if (isFailure(request) || work !== undefined) return true;
  return keyId !== undefined && method !== "GET" && method !== "HEAD";
};

/** Replacements come after the lines that they replace, which may be in the same block. */
const store = async (tx: Tx, block: readonly Entry[]): Promise<void> => {
  await insertRequests(tx, block.filter(({ isReplacement }) => !isReplacement).map(toNewRow));
  for (const row of block.filter(({ isReplacement }) => isReplacement).map(toNewRow)) {
    await deleteReplacedRequest(tx, row);
    await insertRequests(tx, [row]);
  }
};

/**
 * Writes finished requests to the database in blocks, once a second. Requests never wait for it, and never fail because
 * of it: what can't be written stays in memory up to a limit, then is dropped and counted.
 */
export class RequestLog implements RequestLogger {
  /** Requests written and dropped since the process started. */
  readonly counts = { written: 0, dropped: 0 };
  #waiting: Entry[] = [];
  #waitingCharacters = 0;
  /** How many more requests of each kind can be logged now. */
  readonly #room = { succeeded: 0, failed: 0, anonymous: 0 };
  #roomAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;
  #flushing: Promise<void> = Promise.resolve();
  #cleanedAt: number;
  #isFailing = false;

  constructor(private readonly deps: RequestLogDeps) {
    this.#cleanedAt = deps.now();
    this.#makeRoom();
  }

  add(request: FinishedRequest): void {
    if (this.deps.options.rows === 0 || !isLogged(request)) return;
    const kind = request.keyId === undefined ? "anonymous" : request.status < 400 ? "succeeded" : "failed";
    if (this.#room[kind] < 1 || this.#waiting.length >= MAX_WAITING) {
      this.counts.dropped++;
      return;
    }
    this.#room[kind]--;
    const { bodies } = request;
    if (bodies !== undefined) {
      this.#waitingCharacters += bodies.prompt.length + bodies.answer.length;
      if (this.#waitingCharacters > MAX_WAITING_CHARACTERS) request.bodies = undefined;
    }
    this.#waiting.push({ request, finishedAt: this.deps.now(), isReplacement: false });
  }

  replace(request: FinishedRequest): void {
    if (this.deps.options.rows === 0 || this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push({ request, finishedAt: this.deps.now(), isReplacement: true });
  }

  /** The newest request with this id that is not in the database yet. */
  waiting(id: string): Entry | undefined {
    return this.#waiting.findLast(({ request }) => request.requestId === id);
  }

  /** Writes once a second until `close`. */
  open(): void {
    this.#timer ??= setInterval(() => void this.flush(), FLUSH_MS).unref();
  }

  /** Writes the requests that have finished so far. Never throws: requests that can't be written are retried later. */
  flush(): Promise<void> {
    this.#makeRoom();
    if (this.#waiting.length === 0 && !this.#isDue()) return this.#flushing;
    this.#flushing = this.#flushing.then(() => this.#write()).catch((error) => this.#fail(error));
    return this.#flushing;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.flush();
  }

  async #write(): Promise<void> {
    for (let left = this.#waiting.length; left > 0; left -= BLOCK_ROWS) {
      const block = this.#waiting.slice(0, BLOCK_ROWS);
      await this.deps.db.write((tx) => store(tx, block));
      // More may have been added in the meantime, at the end.
      this.#waiting = this.#waiting.slice(block.length);
      this.counts.written += block.length;
      await Bun.sleep(0);
    }
    this.#waitingCharacters = 0;
    this.#isFailing = false;
    if (this.#isDue()) await this.#clean();
  }

  #makeRoom(): void {
    const at = this.deps.now();
    // The clock may have been set back.
    const seconds = Math.max(0, (at - this.#roomAt) / 1000);
    this.#roomAt = at;
    for (const kind of KINDS) {
      const room = this.#room[kind] + seconds * PER_SECOND[kind];
      this.#room[kind] = Math.min(room, BURST_SECONDS * PER_SECOND[kind]);
    }
  }

  /** Logged once per failure, not once a second. */
  #fail(error: unknown): void {
    if (!this.#isFailing) this.deps.log.warn({ err: error }, "the request log can't be written, will be retried");
    this.#isFailing = true;
  }

  #isDue(): boolean {
    return this.deps.now() - this.#cleanedAt >= CLEAN_MS;
  }

  /** Deletes entries older than the retention, in small blocks. */
  async #clean(): Promise<void> {
    const { db, options, now } = this.deps;
    this.#cleanedAt = now();
    const before = new Date(now() - options.days * DAY_MS);
    while ((await db.write((tx) => deleteOldRequests(tx, before, options.rows, BLOCK_ROWS))) > 0) {
      await Bun.sleep(CLEAN_PAUSE_MS);
    }
  }
}
