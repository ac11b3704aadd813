import { Elysia } from "elysia";
import { AppError } from "../../lib/errors";
import type { Principal } from "../principal";
import { type Exchange, exchangeOf } from "./exchange";

/**
 * The principal of a request, with the request's id for the audit log and its trace for jobs. Throws missing_api_key on
 * a public route, and on a page without a session.
 */
export const principalOf = (request: Request): Principal => {
  const exchange = exchangeOf(request);
  return { ...callerOf(exchange), requestId: exchange.requestId, traceparent: exchange.traceparent };
};

export const callerOf = ({ principal }: Exchange): Principal => {
  if (!principal) throw new AppError("missing_api_key", "Send an API key: authorization: Bearer gw_…");
  return principal;
};

/**
 * Adds `principal` and `exchange` to the context of a feature's handlers: `new Elysia().use(auth)`. `http/gate.ts` has
 * already authenticated the request before looking up its route.
 */
export const auth = new Elysia({ name: "http.auth" }).resolve({ as: "scoped" }, ({ request }) => ({
  principal: principalOf(request),
  exchange: exchangeOf(request),
}));
