import { Elysia } from "elysia";
import type { Log } from "../../lib/log";
import { checkDepth } from "./depth";
import { type ErrorPage, errorHook } from "./errors";
import { exchangeOf } from "./exchange";
import { type GateDeps, gate } from "./gate";
import { refuseBadText } from "./json";
import { authorize } from "./roles";
import { routeInputs } from "./route-inputs";

interface HttpDeps extends GateDeps {
  log: Log;
  page?: ErrorPage;
}

/** What every request of the gateway passes: the gate, the role table, the common headers, the error border. */
export const http = (deps: HttpDeps) => {
  const prepare = routeInputs(deps.routes);
  return new Elysia({ name: "http" })
    .onRequest(gate(deps))
    .onTransform({ as: "global" }, ({ request, route, body, query, params }) => {
      const exchange = exchangeOf(request);
      exchange.route = route;
      authorize(request.method, route, exchange.principal);
      checkDepth(request.headers, body);
      // A form's text is written without escapes; JSON has been looked through as it was read.
      if (body && !route.startsWith("/v1/")) refuseBadText(body);
      const prepared = prepare(request, route, body, query, params);
      // Elysia 1.4.30 assigns the result of a transform to the context, but types it as void.
      if (prepared !== body) return { body: prepared } as unknown as undefined;
    })
    .mapResponse({ as: "global" }, ({ request, responseValue, set }) => {
      const exchange = exchangeOf(request);
      if (exchange.isAnswered) return;
      Object.assign(set.headers, { ...exchange.headers, "server-timing": exchange.timing(), ...set.headers });
      exchange.finish(responseValue instanceof Response ? responseValue.status : Number(set.status ?? 200));
    })
    .onError({ as: "global" }, errorHook(deps));
};
