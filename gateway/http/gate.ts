import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { Tracer } from "../../lib/tracing/tracer";
import type { ActiveRequests } from "../active-requests";
import { bearerToken, credentialsOf, isWorkerToken } from "../bearer-token";
import type { Recorder, RequestLogger } from "../ports/recorder";
import type { Principal } from "../principal";
import { type BodyLimits, checkType, isJson, planBody, refuseFiles } from "./body";
import { capturedBodies } from "./captured-bodies";
import { createCors, preflightHeaders } from "./cors";
import { beginExchange, type Exchange, type Held, type Reduced } from "./exchange";
import { standingHeaders } from "./response-headers";
import { needsKey, type RouteTable } from "./route-table";

export interface GateDeps {
  /**
   * `authorization`: the header's value, or that of `x-api-key` in the same form. Throws missing_api_key or
   * invalid_api_key.
   */
  verifyKey(authorization: string | undefined): Principal | Promise<Principal>;
  /** The key that a jobs worker works for. Throws invalid_api_key. */
  verifyWorker(token: string, keyId: string | undefined): Promise<Principal>;
  /** The principal of a page's session cookie; undefined if the session doesn't exist or has ended. */
  verifySession(request: Request): Promise<Principal | undefined> | undefined;
  /**
   * Charges one request to the principal's limits if the route counts. A promise only where the limits are in Redis.
   * Throws rate_limited, budget_exceeded, budget_exhausted and unavailable.
   */
  reserve(principal: Principal, isCounted: boolean, route: string): Held | Promise<Held>;
  recorder: Recorder;
  requestLog: RequestLogger;
  activeRequests: ActiveRequests;
  log: Log;
  /** undefined: requests are not traced. */
  tracer?: Tracer;
  bodyLimits: BodyLimits;
  /** The gateway's address for browsers, if it differs from the address it listens on. */
  publicUrl?: string;
  corsOrigins?: readonly string[];
  routes: RouteTable;
  /** What is reduced right now; undefined while everything works. */
  reduced(): Reduced | undefined;
}

const pathOf = (url: string): string => {
  const start = url.indexOf("/", 8);
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
};

const isRead = (method: string): boolean => method === "GET" || method === "HEAD";

/** Whether the caller is a program rather than a browser: it sends an API key or JSON, or accepts JSON but not HTML. */
export const isApiCall = ({ headers }: Request): boolean => {
  if (headers.has("x-api-key") || /^bearer /i.test(headers.get("authorization") ?? "")) return true;
  if (isJson(headers.get("content-type"))) return true;
  const accept = headers.get("accept") ?? "";
  return accept.includes("json") && !accept.includes("text/html");
};

/** Maximum body size for callers who aren't signed in. They only send a key, or a browser's report of blocked content. */
const MAX_ANONYMOUS_BODY_BYTES = 65_536;

/**
 * `checkAddress` throws invalid_request for an invalid `host`. The last valid host is cached, because it seldom
 * changes.
 */
const addressCheck = () => {
  let known = "\0";
  return (url: string): void => {
    if (url.startsWith(known)) return;
    if (!URL.canParse(url)) throw new AppError("invalid_request", "The host header is not a valid host name.");
    known = url.slice(0, url.indexOf("/", 8) + 1);
  };
};

/**
 * The first hook of every request: checks id, key or session, limits and size. It runs before routing and before the
 * body is read, so a 401 takes precedence over 404 and 400, and the body of an unknown caller is never read.
 */
export const gate = (deps: GateDeps) => {
  const cors = createCors(deps.corsOrigins ?? []);
  const reports = { ...deps, standing: new Headers({ ...standingHeaders(deps.publicUrl), ...cors?.standing }) };
  const strangersLimits = {
    maxBytes: Math.min(MAX_ANONYMOUS_BODY_BYTES, deps.bodyLimits.maxBytes),
    maxUploadBytes: undefined,
  };
  const checkAddress = addressCheck();
  const verifyApi = ({ request: { headers }, route }: Exchange): Principal | Promise<Principal> => {
    const credentials = credentialsOf(headers);
    if (!isWorkerToken(credentials)) return deps.verifyKey(credentials);
    const keyId = headers.get("x-groundwire-on-behalf-of") ?? undefined;
    return deps.verifyWorker(bearerToken(credentials), keyId).then((principal) => {
      if (route?.facts["x-worker"]) return principal;
      throw new AppError("insufficient_role", "Jobs workers may only call models, query indexes and count tokens.");
    });
  };

  const reserveApi = (exchange: Exchange, principal: Principal): Held | Promise<Held> => {
    // The request that a worker works for was counted; its calls would use up the limit of the key's owner.
    const isCounted = principal.via !== "worker" && !exchange.route?.facts["x-uncounted"];
    if (principal.logBodies && exchange.route?.facts["x-generates"]) {
      exchange.bodies = capturedBodies(exchange.request.headers);
    }
    return deps.reserve(principal, isCounted, exchange.routeName);
  };

  /** Pages show who is signed in. Only form submissions count against the limits. */
  const reservePage = (exchange: Exchange, principal: Principal | undefined, path: string) => {
    const { request } = exchange;
    if (!principal && exchange.route?.role !== "open" && isApiCall(request))
      throw deps.routes.noRoute(request.method, path);
    return principal && !isRead(request.method) ? deps.reserve(principal, true, exchange.routeName) : undefined;
  };

  /** Called once the limits have accepted the request. */
  const admit = (exchange: Exchange, held: Held | undefined, isApi: boolean): Exchange => {
    if (held) exchange.hold(held);
    // If no route has this path and method, a 404 or 405 is more helpful than an error about the unread body.
    if (isRead(exchange.request.method) || (isApi && !exchange.route)) return exchange;
    if (isApi) checkType(exchange);
    else refuseFiles(exchange);
    exchange.bodyPlan = planBody(exchange, exchange.principal ? deps.bodyLimits : strangersLimits);
    return exchange;
  };

  /** Answers OPTIONS with the allowed methods and CORS headers. These don't depend on the caller, so no key is needed. */
  const answerOptions = (exchange: Exchange, path: string): Response => {
    const { method, headers } = exchange.request;
    const allow = deps.routes.allowedMethods(path);
    const isPreflight = headers.has("access-control-request-method");
    const isAllowed = isPreflight && cors?.headersFor(headers.get("origin")) !== undefined;
    // Without a successful preflight, a script can't even see the 404 of a wrong path.
    if (allow.length === 0 && !isAllowed) throw deps.routes.noRoute(method, path);
    Object.assign(exchange.headers, { allow: allow.join(", ") || "OPTIONS" }, isAllowed && preflightHeaders(headers));
    exchange.finish(204);
    return new Response(null, { status: 204, headers: exchange.withHeaders({}) });
  };

  const enter = (
    exchange: Exchange,
    principal: Principal | undefined,
    path: string,
    isApi: boolean,
  ): Exchange | Promise<Exchange> => {
    exchange.principal = principal;
    const held = isApi && principal ? reserveApi(exchange, principal) : reservePage(exchange, principal, path);
    return held instanceof Promise
      ? held.then((reserved) => admit(exchange, reserved, isApi))
      : admit(exchange, held, isApi);
  };

  return (request: Request): Response | Exchange | Promise<Exchange> => {
    const exchange = beginExchange(request, reports);
    if (cors) Object.assign(exchange.headers, cors.headersFor(request.headers.get("origin")));
    const reduced = deps.reduced();
    if (reduced) {
      exchange.reduced = reduced;
      exchange.headers["x-degraded"] = reduced.header;
    }
    checkAddress(request.url);
    const path = pathOf(request.url);
    if (request.method === "OPTIONS") return answerOptions(exchange, path);
    exchange.route = deps.routes.find(request.method, path);
    if (deps.tracer) exchange.trace(deps.tracer);
    const isApi = needsKey(path);
    const isOpen = exchange.route?.role === "open";
    const caller = isApi ? verifyApi(exchange) : isOpen ? undefined : deps.verifySession(request);
    // A key that was verified within the last second needs no promise.
    return caller instanceof Promise
      ? caller.then((principal) => enter(exchange, principal, path, isApi))
      : enter(exchange, caller, path, isApi);
  };
};
