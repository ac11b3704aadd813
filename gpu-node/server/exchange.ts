import { on, once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { Readable, Writable } from "node:stream";
import { AppError, toAppError, toEnvelope } from "../../lib/errors";
import { type MediaBody, mediaBytesIn } from "../../lib/media-body";
import { retryAfterHeaders } from "../../lib/retry-after";
import { readTraceparent, type Span } from "../../lib/tracing/tracer";
import { REQUEST_HEADERS } from "../protocol";

/** A client that does not read its answer or send its body for this long is disconnected. */
const STALL_MS = 30_000;

/** Frames are buffered until the end of an event loop turn, up to this many characters. */
const TURN_CHARACTERS = 16_384;

const REQUEST_ID = /^[\w.:-]{1,128}$/;

const clientLeft = () => new AppError("client_closed", "The client disconnected.");

/** Common interface of HTTP/2 and HTTP/1.1 responses; `stream` is the HTTP/2 stream. */
export type Outgoing = Writable & {
  statusCode: number;
  setHeader(name: string, value: string): unknown;
  stream?: Writable;
};

/** One request and its answer, over HTTP/2 or HTTP/1.1. Ends exactly once: with an answer, an error or a disconnect. */
export class Exchange {
  readonly requestId: string;
  /** A `performance.now()` value. */
  readonly arrivedAt = performance.now();
  /** Resolves when the last byte has been sent or the client has disconnected. */
  readonly finished: Promise<void>;
  /** Why it ended without an answer. */
  failure: AppError | undefined;
  /** Undefined: the request is not traced. */
  span: Span | undefined;
  readonly #controller = new AbortController();
  #answered = false;
  #streaming = false;
  #closed = false;
  #pending = "";
  #flushing = false;

  constructor(
    private readonly request: Incoming,
    private readonly response: Outgoing,
    private readonly stallMs = STALL_MS,
  ) {
    const given = this.header("x-request-id");
    this.requestId = given && REQUEST_ID.test(given) ? given : `req_${crypto.randomUUID().replaceAll("-", "")}`;
    const onClose = () => {
      this.#closed = true;
      this.abort(clientLeft());
    };
    this.finished = new Promise((resolve) => response.once("close", resolve));
    response.once("close", onClose);
    // A reset connection emits an error on both; the close event that follows is handled instead.
    request.on("error", onClose);
    response.on("error", onClose);
  }

  get method(): string {
    return this.request.method ?? "GET";
  }

  /** The path without the query string. */
  get path(): string {
    return (this.request.url ?? "/").split("?", 1)[0] ?? "/";
  }

  /** Aborted when the work must stop, with an AppError as the reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The trace context for calls made for this request: that of its span, or the client's. */
  get traceparent(): string | undefined {
    return this.span?.traceparent ?? readTraceparent(this.header(REQUEST_HEADERS.traceparent));
  }

  get ended(): boolean {
    return this.#answered;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /**
   * The body as a JSON object. `media` counts a body that may contain images or audio, and is released when the
   * exchange ends. Throws unsupported_media_type, payload_too_large, rate_limited, overloaded, invalid_request.
   */
  readJson(maxBytes: number, media?: MediaBody): Promise<Record<string, unknown>> {
    if (media) void this.finished.then(() => media.release());
    return readJson(this.request, { maxBytes, media, stallMs: this.stallMs, signal: this.signal });
  }

  /** Sends a complete document. */
  send(status: number, contentType: string, body: string, headers: Record<string, string> = {}): void {
    if (this.#answered) return;
    this.#answered = true;
    if (this.#closed) return;
    this.#writeHead(status, {
      ...headers,
      "content-type": contentType,
      "content-length": `${Buffer.byteLength(body)}`,
    });
    this.response.end(body);
    this.#discardBody();
  }

  json(status: number, body: unknown, headers?: Record<string, string>): void {
    this.send(status, "application/json", JSON.stringify(body), headers);
  }

  /** Starts a 200 response of Server-Sent Events, which `write` and `end` send. */
  startEvents(headers: Record<string, string>): void {
    if (this.#answered || this.#closed) return;
    this.#streaming = true;
    this.#writeHead(200, {
      ...headers,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    });
  }

  /**
   * Sends whole frames: the first one immediately, later ones of the same event loop turn in one write.
   * Returns false if the client reads too slowly: wait for `drained` before the next write.
   */
  write(frames: string): boolean {
    if (this.#answered || this.#closed) return true;
    this.#pending += frames;
    if (!this.#flushing) {
      this.#flushing = true;
      this.#flush();
      setImmediate(() => {
        this.#flushing = false;
        if (this.#pending !== "" && !this.#answered && !this.#closed) this.#flush();
      });
    } else if (this.#pending.length >= TURN_CHARACTERS) this.#flush();
    return !this.response.writableNeedDrain;
  }

  /** Resolves when the client can receive more, or when the exchange has ended. Disconnects a client that stalls. */
  async drained(): Promise<void> {
    if (this.#answered || this.#closed) return;
    const stalled = setTimeout(() => this.#drop(clientLeft()), this.stallMs);
    await once(this.response, "drain", { signal: this.signal }).catch(() => {}); // the exchange has ended
    clearTimeout(stalled);
  }

  /** Ends an event stream with its last frames. */
  end(frames: string): void {
    if (this.#answered) return;
    this.#answered = true;
    if (!this.#closed) this.response.end(this.#pending + frames);
  }

  /** Stops the work and sends the error, unless the client already has its answer. */
  abort(error: AppError): void {
    if (this.#answered) return;
    this.fail(error);
    this.#controller.abort(error);
  }

  /** Sends the error envelope. After the first event it is a frame without `[DONE]`: the status was already sent. */
  fail(thrown: unknown): void {
    if (this.#answered) return;
    const error = toAppError(thrown);
    this.failure = error;
    const envelope = toEnvelope(error, this.requestId);
    envelope.error.source = "node";
    if (this.#streaming) this.end(`data: ${JSON.stringify(envelope)}\n\n`);
    else this.json(error.status, envelope, errorHeaders(error));
  }

  /** Resets the stream, so that the client can't mistake a partial answer for a complete one. */
  #drop(error: AppError): void {
    this.#answered = true;
    this.failure = error;
    this.#controller.abort(error);
    this.#destroy(error);
  }

  #flush(): void {
    const frames = this.#pending;
    this.#pending = "";
    this.response.write(frames);
  }

  #writeHead(status: number, headers: Record<string, string>): void {
    this.response.statusCode = status;
    this.response.setHeader("x-request-id", this.requestId);
    for (const [name, value] of Object.entries(headers)) this.response.setHeader(name, value);
  }

  /** Discards the rest of the body for a limited time after an error, so that the client can read the error. */
  #discardBody(): void {
    if (this.request.readableEnded) return;
    this.request.resume();
    const endless = setTimeout(() => this.#destroy(), this.stallMs);
    this.response.once("close", () => clearTimeout(endless));
  }

  #destroy(error?: Error): void {
    // On Bun 1.4.5 only the stream's own destroy reaches an HTTP/2 client as a reset with an error code.
    (this.response.stream ?? this.response).destroy(error);
  }
}

/** Headers that say whether and when to retry. */
const errorHeaders = (error: AppError): Record<string, string> => {
  const headers: Record<string, string> = { "x-should-retry": `${error.retryable}`, ...retryAfterHeaders(error) };
  if (error.status === 401) headers["www-authenticate"] = 'Bearer realm="groundwire-node"';
  return headers;
};

/** Common interface of HTTP/2 and HTTP/1.1 requests. */
export type Incoming = Readable & { method?: string; url?: string; headers: IncomingHttpHeaders };

interface Limits {
  maxBytes: number;
  media?: MediaBody;
  /** Time limit for receiving the body. */
  stallMs: number;
  /** Aborted with an AppError when the request has ended. */
  signal: AbortSignal;
}

const invalidBody = (message: string, cause?: unknown): AppError => new AppError("invalid_request", message, { cause });

/** The body of a request as a JSON object. Throws unsupported_media_type, payload_too_large, invalid_request. */
const readJson = async (request: Incoming, limits: Limits): Promise<Record<string, unknown>> => {
  if (!isJson(request.headers["content-type"] ?? "")) {
    throw new AppError("unsupported_media_type", "Send JSON in UTF-8, with content-type: application/json.", {
      param: "content-type",
    });
  }
  const bytes = await readBytes(request, limits);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (cause) {
    throw invalidBody("The body is not valid JSON in UTF-8. Check its syntax and encoding.", cause);
  }
  limits.media?.check(bytes.length, mediaBytesIn(value));
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ...value };
  throw invalidBody("The body must be a JSON object.");
};

/** Also blocks web pages: browsers don't let them send this type to another origin without permission. */
const isJson = (contentType: string): boolean => {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(contentType)?.[1] ?? "utf-8";
  return /^application\/json\s*(;|$)/i.test(contentType) && /^utf-?8$/i.test(charset);
};

const readBytes = async (request: Incoming, { maxBytes, media, stallMs, signal }: Limits): Promise<Buffer> => {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) throw tooLarge(maxBytes);
  const slow = AbortSignal.timeout(stallMs);
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  try {
    // Unlike the request's own iterator, stopping this one early keeps the connection open for the error.
    for await (const [chunk] of on(request, "data", { close: ["end"], signal: AbortSignal.any([signal, slow]) })) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
      media?.add(chunk);
      chunks.push(chunk);
    }
  } catch (error) {
    signal.throwIfAborted();
    throw slow.aborted ? invalidBody(`The body did not arrive within ${stallMs} ms. Send the request again.`) : error;
  }
  return Buffer.concat(chunks, sizeBytes);
};

const tooLarge = (maxBytes: number): AppError =>
  new AppError("payload_too_large", `The body is larger than ${maxBytes} bytes. Send a smaller one.`);
