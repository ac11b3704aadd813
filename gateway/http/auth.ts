import { Elysia } from "elysia";
import { AppError } from "../../lib/errors";
import type { Principal } from "../principal";
import { type Exchange, exchangeOf } from "./exchange";

/** Who sent a request. Throws missing_api_key when nobody is known: the route is public or the caller not signed in. */
export const principalOf = (request: Request): Principal => callerOf(exchangeOf(request));

/** The same, where the exchange is at hand. */
export const callerOf = ({ principal }: Exchange): Principal => {
  if (!principal) throw new AppError("missing_api_key", "Send an API key: authorization: Bearer gw_…");
  return principal;
};

/**
 * Gives `principal` and `exchange` to the handlers of a feature: `new Elysia().use(auth)`. The check itself stands in
 * `http/gate.ts` and has happened before any route is looked up.
 */
export const auth = new Elysia({ name: "http.auth" }).resolve({ as: "scoped" }, ({ request }) => ({
  principal: principalOf(request),
  exchange: exchangeOf(request),
}));
