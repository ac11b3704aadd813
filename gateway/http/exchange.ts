import type { AppError, ErrorKind } from "../../lib/errors";
import { type Log, logFields } from "../../lib/log";
import type { MediaBody } from "../../lib/media-body";
import { round } from "../../lib/round";
import { serverTiming } from "../../lib/server-timing";
import { readTraceparent, type Span, type Tracer } from "../../lib/tracing/tracer";
import type { ActiveRequest, ActiveRequests } from "../active-requests";
import {
  addWork,
  type FinishedRequest,
  type GenerationSample,
  type Recorder,
  type RequestLogger,
  type RequestWork,
  type WorkReport,
} from "../ports/recorder";
import type { Principal } from "../principal";
import type { CapturedBodies } from "./captured-bodies";
import { deadlineExceeded, deadlineOf, requestIdOf } from "./request-headers";
import type { Route } from "./route-table";

/** The share of the caller's limits that a running request reserves; see `gateway/limits/ledger.ts`. */
export interface Held {
  addHeaders(headers: Record<string, string>): void;
  release(): void;
}

/** The current degradations: the value of `x-degraded`, and the notices for pages. */
export interface Reduced {
  header: string;
  notices: readonly { code: string; causes: readonly string[]; drill: boolean }[];
}

/** Metrics label for requests that match no route. It keeps the number of labels small. */
const UNMATCHED = "unmatched";

/** Receives the start and end of each exchange, and provides the standing headers of every response. */
interface Reports {
  recorder: Recorder;
  requestLog: RequestLogger;
  log: Log;
  activeRequests: ActiveRequests;
  /** Headers of every response, built once. */
  standing: Headers;
}

/**
 * How to read a body. Errors report `maxBytes`; `slackBytes` is allowed in addition for the other parts of a form with
 * a file.
 */
export interface BodyPlan {
  maxBytes: number;
  slackBytes: number;
  isGzip: boolean;
  /** Whether the body's length is checked while it arrives. */
  isCounted: boolean;
}

/** One request in the gateway, from its first hook to the last byte of its response. */
export class Exchange implements WorkReport {
  readonly requestId: string;
  /** The trace context for calls made for this request: the caller's, or that of this request's span. */
  traceparent: string | undefined;
  /** `performance.now()` at arrival. */
  readonly receivedAt = performance.now();
  /** Headers of the response, successful or not, in addition to the standing headers. */
  readonly headers: Record<string, string>;
  /** The matching route, found by the gate. */
  route: Route | undefined;
  /** How to read the body; set once the gate has accepted it. */
  bodyPlan: BodyPlan | undefined;
  principal: Principal | undefined;
  /** undefined while everything works. */
  reduced: Reduced | undefined;
  /** The model that the request called last. */
  model: string | undefined;
  /** The bodies to log; undefined unless the key logs them. */
  bodies: CapturedBodies | undefined;
  /** True once a handler has built the response with these headers. That handler also calls `finish`. */
  isAnswered = false;
  /** Why the gateway ended this exchange. It replaces the errors caused by aborting it. */
  endedBy: AppError | undefined;
  /** The reader of a body that has not been read to its end. */
  unread: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** The body, if it may contain images or audio and so exceed the ordinary limit. */
  mediaBody: MediaBody | undefined;
  /** Called when the route has read its whole body itself. */
  onRead: (() => void) | undefined;
  #held: Held | undefined;
  #abort: AbortController | undefined;
  #active: ActiveRequest | undefined;
  #deadline: Timer | undefined;
  #span: Span | undefined;
  /** How the request ended; undefined until then. */
  #finished: FinishedRequest | undefined;
  #work: RequestWork | undefined;

  constructor(
    readonly request: Request,
    private readonly reports: Reports,
  ) {
    this.requestId = requestIdOf(request.headers);
    this.traceparent = readTraceparent(request.headers.get("traceparent"));
    this.headers = { "x-request-id": this.requestId };
  }

  /** The reader of the body. Later callers get the same one; undefined if there is no body. */
  openBody(): ReadableStreamDefaultReader<Uint8Array> | undefined {
    if (!this.unread && !this.request.bodyUsed) this.unread = this.request.body?.getReader() as typeof this.unread;
    return this.unread;
  }

  /**
   * Records the request as a span, except probes and files. Its path is left out, because it can contain names and
   * tokens.
   */
  trace(tracer: Tracer): void {
    if (this.route?.role === "open" || this.route?.facts["x-probe"]) return;
    const { method, url } = this.request;
    this.#span = tracer.start(this.route ? `${method} ${this.route.path}` : method, {
      kind: "server",
      parent: this.traceparent,
      at: this.receivedAt,
      attributes: {
        "http.request.method": method,
        "http.route": this.route?.path,
        "url.scheme": url.slice(0, url.indexOf(":")),
        "groundwire.request.id": this.requestId,
      },
    });
    this.traceparent = this.#span.traceparent;
  }

  /** Holds a reservation: adds its headers to the response, and releases it when the response has ended. */
  hold(held: Held): void {
    this.#held = held;
    held.addHeaders(this.headers);
  }

  /**
   * Aborted when the caller disconnects, the key expires or is revoked, or the deadline passes. Created on first use,
   * for long work only.
   */
  activeSignal(keyId: string, isBatch = false): AbortSignal {
    if (this.#abort) return this.#abort.signal;
    const abort = new AbortController();
    this.#abort = abort;
    const { signal, headers } = this.request;
    const deadlineMs = deadlineOf(headers);
    if (signal.aborted) abort.abort();
    else signal.addEventListener("abort", () => abort.abort(), { once: true });
    this.#active = {
      keyId,
      isBatch,
      end: (error) => {
        this.endedBy = error;
        abort.abort();
      },
    };
    this.reports.activeRequests.add(this.#active);
    if (deadlineMs !== undefined) {
      const leftMs = deadlineMs - (performance.now() - this.receivedAt);
      this.#deadline = setTimeout(() => this.#active?.end(deadlineExceeded(deadlineMs)), leftMs);
    }
    return abort.signal;
  }

  generated(sample: GenerationSample): void {
    this.#work = addWork(this.#work, sample);
    // An answer of the chat page outlives the request that asked for it.
    if (this.#finished) {
      const durationMs = performance.now() - this.receivedAt;
      const { errorKind = this.#finished.errorKind } = sample;
      this.reports.requestLog.replace({ ...this.#finished, durationMs, errorKind, work: this.#work });
    }
  }

  /** The route's pattern, for logs and metrics. */
  get routeName(): string {
    return this.route?.path ?? UNMATCHED;
  }

  /** The value of `server-timing`, for a response that doesn't set its own. */
  timing(): string {
    return serverTiming({ total: performance.now() - this.receivedAt });
  }

  /**
   * All headers of a response: the standing headers, then the exchange's, then its own. Later ones override earlier
   * ones.
   */
  withHeaders(own: Record<string, string>): Headers {
    // Copying the prepared headers and adding a few is twice as fast as building an object with all of them.
    const headers = new Headers(this.reports.standing);
    for (const name in this.headers) headers.set(name, this.headers[name] as string);
    for (const name in own) headers.set(name, own[name] as string);
    return headers;
  }

  /** A complete response that skips the remaining hooks, for routes on which every microsecond counts. */
  respond(body: string | Uint8Array, headers: Record<string, string>): Response {
    this.isAnswered = true;
    this.bodies?.answered(body);
    this.finish(200);
    return new Response(body, { headers: this.withHeaders(headers) });
  }

  /** Reports the response, and releases what the request held. Later calls do nothing. */
  finish(status: number, errorKind?: ErrorKind): void {
    if (this.#finished) return;
    this.#held?.release();
    this.mediaBody?.release();
    if (this.#active) this.reports.activeRequests.delete(this.#active);
    clearTimeout(this.#deadline);
    const { method, url } = this.request;
    const { principal, requestId, model, bodies } = this;
    const durationMs = performance.now() - this.receivedAt;
    const finished: FinishedRequest = {
      method,
      route: this.routeName,
      status,
      durationMs,
      errorKind,
      requestId,
      url,
      model,
      bodies,
      keyId: principal?.keyId,
      via: principal?.via,
      work: this.#work,
    };
    this.#finished = finished;
    this.reports.recorder.request(finished);
    this.reports.requestLog.add(finished);
    // Nothing here needs escaping: ids, methods and patterns have no quotes.
    let fields = `"requestId":"${this.requestId}","method":"${method}","route":"${this.routeName}","status":${status},"durationMs":${round(durationMs, 2)}`;
    if (principal) fields += `,"keyId":"${principal.keyId}"`;
    if (errorKind) fields += `,"errorKind":"${errorKind}"`;
    if (this.#span) fields += endSpan(this.#span, status, errorKind, this.principal);
    logFields(this.reports.log, this.route?.facts["x-probe"] ? "debug" : "info", `${fields},"msg":"request"`);
  }
}

/** Ends the span of a request. Returns the field with which its log line names the trace. */
const endSpan = (span: Span, status: number, kind: ErrorKind | undefined, principal: Principal | undefined): string => {
  span.set({ "http.response.status_code": status, "groundwire.key.id": principal?.keyId });
  // As the conventions say, an error of the caller is not an error of the server.
  if (status >= 400) span.fail(kind ?? "unclassified", status >= 500);
  span.end();
  return `,"traceId":"${span.traceId}"`;
};

const exchanges = new WeakMap<Request, Exchange>();

export const beginExchange = (request: Request, reports: Reports): Exchange => {
  const exchange = new Exchange(request, reports);
  exchanges.set(request, exchange);
  return exchange;
};

/** The exchange of a request that came through `createApp`. */
export const exchangeOf = (request: Request): Exchange => {
  const exchange = exchanges.get(request);
  if (!exchange) throw new Error("This request did not come through the gateway's hooks.");
  return exchange;
};
