import type { AppError, ErrorKind } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { round } from "../../lib/round";
import type { ActiveRequest, ActiveRequests } from "../active-requests";
import type { Recorder } from "../ports/recorder";
import type { Principal } from "../principal";
import { deadlineExceeded, deadlineOf } from "./deadline";
import { requestIdOf, traceparentOf } from "./request-id";
import type { Route } from "./route-table";
import { serverTiming } from "./server-timing";

/** What a limit holds for a running request; see `gateway/limits/ledger.ts`. */
interface Held {
  headers: Record<string, string>;
  release(): void;
}

/** Label of a request that no route answers: labels of metrics stay bounded. */
const UNMATCHED = "unmatched";

/** Where an exchange says that it runs and how it ended, and what goes out with every answer. */
interface Reports {
  recorder: Recorder;
  log: Log;
  activeRequests: ActiveRequests;
  headers: Readonly<Record<string, string>>;
}

/** How a body may be read: `maxBytes` is named in the error, `slackBytes` is for the other parts of a form with a file. */
export interface BodyPlan {
  maxBytes: number;
  slackBytes: number;
  isGzip: boolean;
}

/** One request on its way through the gateway, from its first hook to the last byte of its answer. */
export class Exchange {
  readonly requestId: string;
  readonly traceparent: string | undefined;
  /** `performance.now()` at arrival. */
  readonly receivedAt = performance.now();
  /** Headers of the answer, whatever it will be. */
  readonly headers: Record<string, string>;
  /** The route that the gate has found for the request. */
  route: Route | undefined;
  /** How the body may be read, once the gate has let it in. */
  body: BodyPlan | undefined;
  principal: Principal | undefined;
  /** True once a handler made the Response with these headers itself; whoever did also calls `finish`. */
  isAnswered = false;
  /** Why the gateway ended this exchange itself, in place of what its abort made others throw. */
  endedBy: AppError | undefined;
  /** Reader of a body that the gate has opened and not yet read to its end. */
  unread: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Called when a body that the route reads by itself has come to its end. */
  onRead: (() => void) | undefined;
  #held: Held | undefined;
  #active: ActiveRequest | undefined;
  #deadline: Timer | undefined;
  #isFinished = false;

  constructor(
    readonly request: Request,
    private readonly reports: Reports,
  ) {
    this.requestId = requestIdOf(request.headers);
    this.traceparent = traceparentOf(request.headers);
    this.headers = { ...reports.headers, "x-request-id": this.requestId };
  }

  /** The reader of the body, shared by later callers; undefined if there is no body. */
  openBody(): ReadableStreamDefaultReader<Uint8Array> | undefined {
    if (!this.unread && !this.request.bodyUsed) this.unread = this.request.body?.getReader() as typeof this.unread;
    return this.unread;
  }

  /** Takes over a reservation: its headers go out with the answer, and it is released when the answer has ended. */
  hold(held: Held): void {
    this.#held = held;
    Object.assign(this.headers, held.headers);
  }

  /** Aborted when the caller leaves, its key ends or its deadline is over. To be called once, by what may take longer than a key lasts. */
  activeSignal(keyId: string): AbortSignal {
    const abort = new AbortController();
    const { signal, headers } = this.request;
    const deadlineMs = deadlineOf(headers);
    if (signal.aborted) abort.abort();
    else signal.addEventListener("abort", () => abort.abort(), { once: true });
    this.#active = {
      keyId,
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

  /** The route's pattern, for logs and metrics. */
  get routeName(): string {
    return this.route?.path ?? UNMATCHED;
  }

  /** Value of `server-timing` for an answer that says nothing closer. */
  timing(): string {
    return serverTiming({ total: performance.now() - this.receivedAt });
  }

  /** A whole answer that needs no more hooks: for the routes where every microsecond counts. */
  respond(body: string | Uint8Array, headers: Record<string, string>): Response {
    this.isAnswered = true;
    this.finish(200);
    return new Response(body, { headers: Object.assign(headers, this.headers) });
  }

  /** Reports the answer and frees what the request held. The first call counts. */
  finish(status: number, errorKind?: ErrorKind): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#held?.release();
    if (this.#active) this.reports.activeRequests.delete(this.#active);
    clearTimeout(this.#deadline);
    const { method } = this.request;
    const durationMs = performance.now() - this.receivedAt;
    this.reports.recorder.request({ method, route: this.routeName, status, durationMs, errorKind });
    this.reports.log[this.route?.isProbe ? "debug" : "info"](
      {
        requestId: this.requestId,
        method,
        route: this.routeName,
        status,
        durationMs: round(durationMs, 2),
        keyId: this.principal?.keyId,
        errorKind,
      },
      "request",
    );
  }
}

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
