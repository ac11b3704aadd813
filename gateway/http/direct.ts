import type { TSchema } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import type { Principal } from "../principal";
import { invalidRequest } from "../validation/problems";
import { callerOf } from "./auth";
import { parseBody } from "./body";
import type { Exchange } from "./exchange";
import { prepareInputs } from "./route-inputs";
import type { Route } from "./route-table";

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
export const answerDirectly = (exchange: Exchange, route: Route, server: Server): Promise<Response> => {
  const principal = callerOf(exchange);
  const { request } = exchange;
  return Promise.resolve(parseBody(exchange)).then((parsed) => {
    const body = prepareInputs(route, request, parsed, undefined, undefined);
    // Only the response may take long: the idle timeout still applies while the body arrives.
    if (route.isLong) server?.timeout(request, 0);
    const check = checkOf(route);
    if (!check.Check(body)) throw invalidRequest(check.Errors(body), "field");
    return (route.handler as DirectHandler)({ body, principal, exchange });
  });
};
