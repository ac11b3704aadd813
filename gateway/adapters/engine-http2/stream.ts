import type http2 from "node:http2";
import { RESPONSE_HEADERS } from "../../../gpu-node/protocol";
import { AppError, fromEnvelope } from "../../../lib/errors";
import type { Connection } from "./connection";
import type { TokenFlow } from "./node";

const DONE = Buffer.from("data: [DONE]\n\n");
/** Quotes are escaped inside JSON strings, so these bytes only occur at the start of an error frame. */
const ERROR_FRAME = Buffer.from('data: {"error":');
const BORDER = Buffer.from("\n\n");
/** Once this many bytes are buffered, a slow reader slows down the node. */
const MAX_BUFFERED_BYTES = 262_144;
const MAX_REFUSAL_BYTES = 65_536;

interface StreamTimeouts {
  firstTokenMs: number;
  nextTokenMs: number;
  totalMs: number;
}

interface StreamOptions {
  connection: Connection;
  headers: http2.OutgoingHttpHeaders;
  body: string;
  isEvents: boolean;
  signal: AbortSignal;
  timeouts: StreamTimeouts;
  watchdog: Watchdog;
  /** Records when the stream waits for tokens and receives them. */
  flow: TokenFlow;
  /** Called once, when the node has finished with this stream; `error` says why the answer is incomplete. */
  onEnd(error: AppError | undefined): void;
}

const lost = (cause?: unknown): AppError =>
  new AppError("upstream_error", "The GPU node's answer stopped before it was complete. Try again.", {
    source: "node",
    cause,
  });

/** One generation on one HTTP/2 stream: first the response headers, then the body. */
export class NodeStream implements AsyncIterableIterator<Uint8Array> {
  /** The time (`performance.now()`) at which the watchdog fails the stream. */
  expiresAt: number;
  /** True once the node has sent response headers. After that, the request must not be retried. */
  hasAnswered = false;
  readonly #stream: http2.ClientHttp2Stream;
  readonly #options: StreamOptions;
  readonly #totalAt: number;
  readonly #response = Promise.withResolvers<http2.IncomingHttpHeaders>();
  readonly #leave = () => this.fail(new AppError("client_closed", "The caller disconnected."));
  #chunks: Buffer[] = [];
  #bufferedBytes = 0;
  #partial: Buffer | undefined;
  #last: Buffer | undefined;
  #receivedBytes = 0;
  #expectedBytes: number | undefined;
  #status = 0;
  #retryAfterMs: number | undefined;
  #failure: AppError | undefined;
  #isEnded = false;
  #isPaused = false;
  #wake: (() => void) | undefined;

  constructor(options: StreamOptions) {
    this.#options = options;
    const now = performance.now();
    this.#totalAt = now + options.timeouts.totalMs;
    this.expiresAt = options.isEvents ? Math.min(now + options.timeouts.firstTokenMs, this.#totalAt) : this.#totalAt;
    const stream = options.connection.request(options.headers, options.body, () => this.#closed());
    this.#stream = stream;
    stream.on("response", (headers) => this.#answered(headers));
    stream.on("data", (chunk: Buffer) => this.#received(chunk));
    stream.on("error", (cause) => this.fail(lost(cause)));
    options.signal.addEventListener("abort", this.#leave, { once: true });
    options.watchdog.watch(this);
    if (options.isEvents) options.flow.begin(now);
    if (options.signal.aborted) this.#leave();
  }

  /** The node's response headers. Throws the node's error response, or the reason that no response arrived. */
  response(): Promise<http2.IncomingHttpHeaders> {
    return this.#response.promise;
  }

  /** Ends the stream with an error and resets it, so that the node stops; does nothing if it has already ended. */
  fail(error: AppError): void {
    if (this.#isEnded) return;
    this.#failure = error;
    this.#finish();
    this.#options.connection.reset(this.#stream);
    this.#response.reject(error);
  }

  expire(now: number): void {
    const what = now >= this.#totalAt ? "the complete answer" : this.hasAnswered ? "the next token" : "the first token";
    this.fail(
      new AppError(
        "deadline_exceeded",
        `The GPU node took too long for ${what}. Try again, or send a smaller request.`,
        { source: "node" },
      ),
    );
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      const piece = this.#take();
      if (piece) return { value: piece, done: false };
      if (this.#failure) throw this.#failure;
      if (this.#isEnded) return { value: undefined, done: true };
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#leave();
    return { value: undefined, done: true };
  }

  #answered(headers: http2.IncomingHttpHeaders): void {
    this.#status = Number(headers[":status"]);
    const length = headers["content-length"];
    if (length !== undefined) this.#expectedBytes = Number(length);
    if (this.#status !== 200) {
      this.#retryAfterMs = Number(headers[RESPONSE_HEADERS.retryAfterMs]) || undefined;
      return;
    }
    this.hasAnswered = true;
    this.#expectNext();
    this.#response.resolve(headers);
  }

  #received(chunk: Buffer): void {
    this.#receivedBytes += chunk.length;
    this.#chunks.push(chunk);
    this.#bufferedBytes += chunk.length;
    if (this.#status !== 200) {
      if (this.#receivedBytes > MAX_REFUSAL_BYTES) this.fail(lost());
      return;
    }
    this.#expectNext();
    if (this.#bufferedBytes > MAX_BUFFERED_BYTES) this.#setPaused(true);
    // An answer that is not streamed is read in one piece at its end, unless it is too large for the buffer.
    if (this.#options.isEvents || this.#isPaused) this.#notify();
  }

  #expectNext(): void {
    const { isEvents, flow, timeouts } = this.#options;
    if (!isEvents) return;
    const now = performance.now();
    this.expiresAt = Math.min(now + timeouts.nextTokenMs, this.#totalAt);
    flow.token(now);
  }

  /** While its reader is slow, the stream doesn't count as waiting for a token. */
  #setPaused(isPaused: boolean): void {
    if (this.#isPaused === isPaused || this.#isEnded) return;
    this.#isPaused = isPaused;
    const { isEvents, flow } = this.#options;
    if (isPaused) {
      this.#stream.pause();
      if (isEvents) flow.end();
    } else {
      if (isEvents) flow.begin(performance.now());
      this.#stream.resume();
    }
  }

  /** The received frames, up to the last complete one. */
  #take(): Buffer | undefined {
    if (this.#chunks.length === 0 || this.#status !== 200) return undefined;
    let piece = this.#unread();
    this.#chunks = [];
    this.#partial = undefined;
    this.#bufferedBytes = 0;
    this.#setPaused(false);
    if (!this.#options.isEvents) return piece;
    if (piece[piece.length - 1] !== 10 || piece[piece.length - 2] !== 10) {
      const border = piece.lastIndexOf(BORDER);
      const end = border === -1 ? 0 : border + BORDER.length;
      this.#partial = piece.subarray(end);
      piece = piece.subarray(0, end);
    }
    const errorAt = piece.indexOf(ERROR_FRAME);
    if (errorAt !== -1) {
      this.fail(nodesError(piece.subarray(errorAt)));
      piece = piece.subarray(0, errorAt);
    }
    this.#last = piece;
    return piece.length > 0 ? piece : undefined;
  }

  #unread(): Buffer {
    const parts = this.#partial ? [this.#partial, ...this.#chunks] : this.#chunks;
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  #closed(): void {
    if (this.#isEnded) return;
    const problem = this.#problem();
    if (problem) this.fail(problem);
    else this.#finish();
  }

  /** The error of a stream that closed with an incomplete answer. */
  #problem(): AppError | undefined {
    if (this.#status !== 0 && this.#status !== 200) {
      return fromEnvelope(parse(this.#unread().toString()), "node", this.#retryAfterMs);
    }
    const unread = this.#unread();
    const errorAt = this.#options.isEvents ? unread.indexOf(ERROR_FRAME) : -1;
    if (errorAt !== -1) {
      this.#partial = undefined;
      this.#chunks = errorAt > 0 ? [unread.subarray(0, errorAt)] : [];
      return nodesError(unread.subarray(errorAt));
    }
    const isWhole = this.#stream.rstCode === 0 && this.hasAnswered && this.#isWhole(unread);
    return isWhole ? undefined : lost();
  }

  /** On Bun, a lost peer looks like a normal end. So only the content shows whether the answer is complete. */
  #isWhole(unread: Buffer): boolean {
    if (this.#options.isEvents)
      return (unread.length > 0 ? unread : this.#last)?.subarray(-DONE.length).equals(DONE) ?? false;
    return this.#expectedBytes === undefined || this.#expectedBytes === this.#receivedBytes;
  }

  #finish(): void {
    this.#isEnded = true;
    if (this.#options.isEvents && !this.#isPaused) this.#options.flow.end();
    this.#options.watchdog.forget(this);
    this.#options.onEnd(this.#failure);
    this.#options.signal.removeEventListener("abort", this.#leave);
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

const nodesError = (frame: Buffer): AppError =>
  fromEnvelope(parse(frame.subarray("data: ".length, frame.indexOf(BORDER)).toString()), "node");

const parse = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};

interface Watched {
  /** The time (`performance.now()`) after which the stream has failed. */
  expiresAt: number;
  expire(now: number): void;
}

/** A missed deadline is detected within this many milliseconds. */
const TICK_MS = 100;

/** One timer for the deadlines of all streams. A timer per token would cost more than forwarding the token. */
export class Watchdog {
  readonly #watched = new Set<Watched>();
  #timer: Timer | undefined;

  watch(item: Watched): void {
    this.#watched.add(item);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS).unref();
  }

  forget(item: Watched): void {
    this.#watched.delete(item);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    // No timer runs while there are no streams.
    if (this.#watched.size === 0) this.close();
    const now = performance.now();
    for (const item of this.#watched) if (now >= item.expiresAt) item.expire(now);
  }
}
