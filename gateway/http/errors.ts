import { type ErrorHandler, ParseError, ValidationError } from "elysia";
import { AppError, toAppError, toEnvelope } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { retryAfterHeaders } from "../../lib/retry-after";
import { invalidRequest } from "../validation/problems";
import { type Exchange, exchangeOf } from "./exchange";
import { isApiCall } from "./gate";
import { needsKey, type RouteTable } from "./route-table";

export type ErrorPage = (error: AppError, request: Request, requestId: string) => Promise<Response>;

const errorHeaders = (error: AppError): Record<string, string> => {
  const headers: Record<string, string> = {
    "content-type": "application/json; charset=utf-8",
    "cache-control": "no-store",
    "x-should-retry": String(error.retryable),
  };
  if (error.status === 401) {
    const isInvalid = error.kind === "invalid_api_key";
    headers["www-authenticate"] = `Bearer realm="groundwire"${isInvalid ? ', error="invalid_token"' : ""}`;
  }
  return Object.assign(headers, retryAfterHeaders(error));
};

const fromThrown = (thrown: unknown): AppError => {
  if (thrown instanceof AppError) return thrown;
  if (thrown instanceof ParseError) {
    if (thrown.cause instanceof AppError) return thrown.cause;
    const message = "The body can't be parsed. Check that it is complete and matches its content-type.";
    return new AppError("invalid_request", message, { cause: thrown });
  }
  if (thrown instanceof ValidationError && thrown.type !== "response" && "Errors" in thrown.validator) {
    return invalidRequest(thrown.validator.Errors(thrown.value), thrown.type === "query" ? "parameter" : "field");
  }
  return toAppError(thrown);
};

const notFound = (routes: RouteTable, request: Request): { error: AppError; headers?: Record<string, string> } => {
  const { pathname } = new URL(request.url);
  const methods = routes.allowedMethods(pathname);
  if (methods.length === 0) {
    const isProgram = isApiCall(request) || needsKey(pathname);
    return {
      error: isProgram
        ? routes.noRoute(request.method, pathname)
        : new AppError("not_found", `${pathname} was not found.`),
    };
  }
  const allow = methods.join(", ");
  return {
    error: new AppError("method_not_allowed", `${pathname} accepts ${allow}, not ${request.method}.`),
    headers: { allow },
  };
};

/**
 * The only place where errors become responses: an envelope for the API, or the format that the route declares, and an
 * error page for pages.
 */
export const errorHook = ({ log, routes, page }: { log: Log; routes: RouteTable; page?: ErrorPage }): ErrorHandler => {
  return async ({ error: thrown, code, request }) => {
    const exchange = exchangeOf(request);
    const { error, headers } =
      code === "NOT_FOUND" ? notFound(routes, request) : { error: exchange.endedBy ?? fromThrown(thrown) };
    if (error.kind === "internal") {
      log.error({ requestId: exchange.requestId, route: exchange.routeName, err: error.cause }, "internal error");
    }
    exchange.finish(error.kind === "client_closed" ? 499 : error.status, error.kind);
    exchange.headers["server-timing"] = exchange.timing();
    const isPage = !isApiCall(request) && URL.canParse(request.url) && !routes.isApi(new URL(request.url).pathname);
    const drawn = isPage ? await page?.(error, request, exchange.requestId) : undefined;
    if (drawn) {
      const common = [...exchange.withHeaders({})].filter(([name]) => !drawn.headers.has(name));
      const own = Object.entries(error.detail.headers ?? {});
      for (const [name, value] of [...common, ...own]) drawn.headers.set(name, value);
      return linger(exchange, drawn);
    }
    const { requestId } = exchange;
    const format = exchange.route?.facts["x-error-format"];
    const toBody = format?.body ?? toEnvelope;
    const own = { ...error.detail.headers, ...errorHeaders(error), ...headers, ...format?.headers?.(requestId) };
    const response = new Response(JSON.stringify(toBody(error, requestId)), {
      status: error.status,
      headers: exchange.withHeaders(own),
    });
    return linger(exchange, response);
  };
};

/** Maximum number of bytes to read and discard after an early error. */
const MAX_DROPPED_BYTES = 128 * 1_048_576;
const MAX_LINGER_MS = 30_000;
/** A sender that is silent for this long has stopped or stalled. */
const MAX_SILENCE_MS = 2000;
/** The server itself discards the rest of a body shorter than this, and keeps the connection open. */
const SHORT_BODY_BYTES = 65_536;

/**
 * Lingering close, as in nginx and Apache: sends an error before the request body has arrived completely, discards the
 * rest of the body, then closes the connection. Closing right away would reset the connection, and a client that writes
 * its whole body before it reads would get EPIPE instead of the error. Limited in bytes, time and idle time.
 */
const linger = async (exchange: Exchange, refusal: Response): Promise<Response> => {
  const reader = isUnread(exchange) ? exchange.openBody() : undefined;
  if (!reader) return refusal;
  const bytes = await refusal.bytes();
  const headers = new Headers(refusal.headers);
  headers.set("content-length", String(bytes.length));
  headers.set("connection", "close");
  const body = async function* () {
    yield bytes;
    await drop(reader);
  };
  return new Response(body(), { status: refusal.status, headers });
};

const isUnread = ({ request: { headers, method, bodyUsed }, unread }: Exchange): boolean => {
  if (unread) return true;
  if (bodyUsed || method === "GET" || method === "HEAD") return false;
  return headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) > SHORT_BODY_BYTES;
};

const drop = async (reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> => {
  const endsAt = performance.now() + MAX_LINGER_MS;
  // Ends the pending read. Racing each read against a long-lived promise would keep every chunk in memory.
  const stop = () => void reader.cancel().catch(() => undefined);
  const silence = setTimeout(stop, MAX_SILENCE_MS);
  try {
    for (let droppedBytes = 0; droppedBytes < MAX_DROPPED_BYTES && performance.now() < endsAt; ) {
      const { done, value } = await reader.read();
      if (done) return;
      droppedBytes += value.length;
      silence.refresh();
    }
  } catch {
    // The client disconnected.
  } finally {
    clearTimeout(silence);
    stop();
  }
};
