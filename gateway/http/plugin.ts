import type { TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { Elysia } from "elysia";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { hasRole, type Principal } from "../principal";
import { invalidRequest } from "../validation/problems";
import { callerOf } from "./auth";
import { parseBody } from "./body";
import { type ErrorPage, errorHook } from "./errors";
import { type Exchange, exchangeOf } from "./exchange";
import { type GateDeps, gate } from "./gate";
import { prepareInputs } from "./route-inputs";
import { type Route, type RouteList, RouteTable } from "./route-table";

interface HttpDeps extends Omit<GateDeps, "routes"> {
  log: Log;
  routes: RouteList;
  page?: ErrorPage;
}

/** The hooks that every request passes: the gate, the role check, the common headers and the error handler. */
export const http = ({ routes: list, ...others }: HttpDeps) => {
  const deps = { ...others, routes: new RouteTable(list) };
  const enter = gate(deps);
  return new Elysia({ name: "http" })
    .onRequest(({ request, server }) => {
      const answer = (entered: Response | Exchange): Response | undefined | Promise<Response> => {
        if (entered instanceof Response) return entered;
        const { route, principal } = entered;
        if (!route?.facts["x-direct"]) return undefined;
        authorize(route, principal);
        return answerDirectly(entered, route, server);
      };
      const entered = enter(request);
      // Separate async functions would create four more objects per request: see docs/performance.md.
      return entered instanceof Promise ? entered.then(answer) : answer(entered);
    })
    .onParse({ as: "global" }, ({ request }) => parseBody(exchangeOf(request)))
    .onTransform({ as: "global" }, ({ request, route: matched, body, query, params, server }) => {
      const exchange = exchangeOf(request);
      const { route, principal } = exchange;
      // Elysia must have matched the route that the gate checked.
      if (route?.path !== matched) throw new AppError("not_found", `${matched} was not found.`);
      authorize(route, principal);
      if (route.facts["x-long"]) {
        const allowSilence = () => server?.timeout(request, 0);
        // Only the response may take long: the idle timeout still applies while the body arrives.
        if (route.inputs.body === "own") exchange.onRead = allowSilence;
        else allowSilence();
      }
      const prepared = prepareInputs(route, request, body, query, params);
      const onMismatch = route.facts["x-mismatch"];
      if (onMismatch && principal && !checkOf(route).Check(prepared)) onMismatch(prepared, principal);
      // Elysia 1.4.30 assigns the result of a transform to the context, but types it as void.
      if (prepared !== body) return { body: prepared } as unknown as undefined;
    })
    .mapResponse({ as: "global" }, ({ request, responseValue, set }) => {
      const exchange = exchangeOf(request);
      if (exchange.isAnswered) return;
      const own = { "server-timing": exchange.timing(), ...(set.headers as Record<string, string>) };
      Object.assign(set.headers, exchange.withHeaders(own).toJSON());
      if (exchange.bodies && !(responseValue instanceof Response)) {
        exchange.bodies.answered(JSON.stringify(responseValue));
      }
      exchange.finish(responseValue instanceof Response ? responseValue.status : Number(set.status ?? 200));
    })
    .onError({ as: "global" }, errorHook(deps));
};

/**
 * Throws missing_api_key (on a page: the reader is not signed in), insufficient_role, or not_found for a route that
 * declares no role: routes are denied by default.
 */
const authorize = ({ path, role }: Route, principal: Principal | undefined): void => {
  if (role === "open" || role === "public") return;
  if (role === undefined) throw new AppError("not_found", `${path} was not found.`);
  if (principal === undefined) throw new AppError("missing_api_key", "Sign in to see this page.");
  if (role === "any" || hasRole(principal.role, role)) return;
  throw new AppError(
    "insufficient_role",
    `This requires the ${role} role; the key "${principal.keyName}" has the ${principal.role} role. Ask an admin for another key.`,
  );
};

/** A handler that only uses these fields of Elysia's context. */
type DirectHandler = (context: {
  body: unknown;
  principal: Principal;
  exchange: Exchange;
}) => Response | Promise<Response>;

/** The part of Bun's server used here; null while the app isn't listening. */
type Server = { timeout(request: Request, seconds: number): void } | null;

const checks = new WeakMap<Route, TypeCheck<TSchema>>();

const checkOf = (route: Route): TypeCheck<TSchema> => {
  const known = checks.get(route);
  if (known) return known;
  const check = TypeCompiler.Compile(route.inputs.body as TSchema);
  checks.set(route, check);
  return check;
};

/** Does in one step what Elysia's hooks do for other routes: reads and checks the body, then calls the handler. */
const answerDirectly = (exchange: Exchange, route: Route, server: Server): Promise<Response> => {
  const principal = callerOf(exchange);
  const { request } = exchange;
  return Promise.resolve(parseBody(exchange)).then((parsed) => {
    const body = prepareInputs(route, request, parsed, undefined, undefined);
    // Only the response may take long: the idle timeout still applies while the body arrives.
    if (route.facts["x-long"]) server?.timeout(request, 0);
    const check = checkOf(route);
    if (!check.Check(body)) {
      route.facts["x-mismatch"]?.(body, principal);
      if (!check.Check(body)) throw invalidRequest(check.Errors(body), "field");
    }
    return (route.handler as DirectHandler)({ body, principal, exchange });
  });
};
