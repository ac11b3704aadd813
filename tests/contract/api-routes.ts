import { createApp } from "../../gateway/app";
import type { RouteFacts, RouteRole } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import { defaultConfig } from "../../lib/settings";

/** A route of the app, such as `POST /v1/keys/:id/rotate`. */
export interface ApiRoute {
  route: string;
  method: string;
  path: string;
  role: RouteRole | undefined;
}

/** Routes of the API and of health checks, without pages and their files. */
const API = /^\/(?:v1\/|healthz$|livez$|readyz$|metrics$|openapi\.json$|mcp$)/;

const services: Partial<Services> = { config: defaultConfig() };

/** Every route of the app. The handlers have no services. */
const ROUTES = createApp(services as Services).routes.map(({ method, path, hooks }): ApiRoute => {
  const detail: RouteFacts = hooks.detail ?? {};
  return { route: `${method} ${path}`, method, path, role: detail["x-role"] };
});

export const API_ROUTES = ROUTES.filter(({ path }) => API.test(path));

/** Pages, their partials, forms and files. */
export const PAGE_ROUTES = ROUTES.filter(({ path }) => !API.test(path));
