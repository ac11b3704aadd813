import { createApp } from "../../gateway/app";
import type { RouteFacts, RouteRole } from "../../gateway/http/route-facts";
import type { Services } from "../../gateway/services";
import { defaultConfig } from "../../lib/settings";

/** Every API route of the app, such as `POST /v1/keys/:id/rotate`. The handlers have no services. */
export interface ApiRoute {
  route: string;
  method: string;
  path: string;
  role: RouteRole | undefined;
}

/** Routes of the API and of health checks, without pages and their files. */
const API = /^\/(?:v1\/|healthz$|livez$|readyz$|metrics$|openapi\.json$)/;

const services: Partial<Services> = { config: defaultConfig() };

export const API_ROUTES: ApiRoute[] = createApp(services as Services)
  .routes.filter(({ path }) => API.test(path))
  .map(({ method, path, hooks }) => {
    const detail: RouteFacts = hooks.detail ?? {};
    return { route: `${method} ${path}`, method, path, role: detail["x-role"] };
  });
