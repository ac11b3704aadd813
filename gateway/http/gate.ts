import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { KeyRuns } from "../keys/runs";
import type { Recorder } from "../metrics/recorder";
import type { Principal } from "../principal";
import { limitBody } from "./body";
import { beginExchange, type Exchange } from "./exchange";

export interface GateDeps {
  /** Throws missing_api_key or invalid_api_key. */
  verifyKey(authorization: string | undefined): Principal | Promise<Principal>;
  /** The principal of a page's session cookie; undefined when there is no live session. */
  verifySession(request: Request): Promise<Principal | undefined> | undefined;
  /** Takes one request out of the principal's limits, where the path counts; throws rate_limited. */
  reserve(principal: Principal, path: string): { headers: Record<string, string>; release(): void };
  recorder: Recorder;
  /** What runs for keys, to be ended with them. */
  runs: KeyRuns;
  log: Log;
  maxBodyBytes: number;
  /** Value of `x-degraded`; undefined while nothing is reduced. */
  degraded(): string | undefined;
}

/** True for paths that need an API key even where no route exists, so that nobody can probe what is there. */
const needsKey = (path: string): boolean =>
  path.startsWith("/v1/") || path === "/v1" || path === "/metrics" || path.startsWith("/metrics/");

const pathOf = (url: string): string => {
  const start = url.indexOf("/", 8);
  const end = url.indexOf("?", start);
  return end === -1 ? url.slice(start) : url.slice(start, end);
};

const isRead = (method: string): boolean => method === "GET" || method === "HEAD" || method === "OPTIONS";

/** Refuses a body that no route of the API reads. */
const checkType = (headers: Headers): void => {
  const type = headers.get("content-type");
  if (type === null || type.startsWith("multipart/form-data")) return;
  if (!/^application\/(?:[\w.-]+\+)?json\b/i.test(type)) {
    throw new AppError(
      "unsupported_media_type",
      `The body is ${type}. Send JSON with the header content-type: application/json.`,
    );
  }
};

/**
 * The first hook of every request: id, key or session, limits, size. It runs before a route is looked up and before
 * the body is read, so 401 wins over 404 and 400, and a stranger's body is never taken in.
 */
export const gate = (deps: GateDeps) => {
  const enterApi = (exchange: Exchange, principal: Principal, path: string): void => {
    exchange.principal = principal;
    exchange.hold(deps.reserve(principal, path));
    if (!isRead(exchange.request.method)) checkType(exchange.request.headers);
  };

  /** Pages show who is signed in; only what they send counts against the limits. */
  const enterPage = (exchange: Exchange, principal: Principal | undefined, path: string): void => {
    exchange.principal = principal;
    if (principal && !isRead(exchange.request.method)) exchange.hold(deps.reserve(principal, path));
  };

  return async ({ request }: { request: Request }): Promise<void> => {
    const exchange = beginExchange(request, deps);
    const degraded = deps.degraded();
    if (degraded !== undefined) exchange.headers["x-degraded"] = degraded;
    const path = pathOf(request.url);
    if (needsKey(path)) {
      const principal = deps.verifyKey(request.headers.get("authorization") ?? undefined);
      enterApi(exchange, principal instanceof Promise ? await principal : principal, path);
    } else {
      enterPage(exchange, await deps.verifySession(request), path);
    }
    const reading = isRead(request.method) ? undefined : limitBody(request, deps.maxBodyBytes);
    if (reading) await reading;
  };
};
