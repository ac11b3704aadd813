import { type ErrorHandler, ParseError, ValidationError } from "elysia";
import { AppError, toAppError, toEnvelope } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { retryAfterHeaders } from "../../lib/retry-after";
import { invalidRequest } from "../validation/problems";
import { exchangeOf } from "./exchange";
import { isApiCall } from "./gate";
import { linger } from "./linger";
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

/** The only place where errors become responses: an envelope for the API, an error page for pages. */
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
    const envelope = new Response(JSON.stringify(toEnvelope(error, exchange.requestId)), {
      status: error.status,
      headers: exchange.withHeaders({ ...error.detail.headers, ...errorHeaders(error), ...headers }),
    });
    return linger(exchange, envelope);
  };
};
