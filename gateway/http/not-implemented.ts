import { AppError } from "../../lib/errors";

type Route = `${"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} /v1/${string}`;

const routes = new Set<string>();

/** Routes that are in the contract but not implemented yet. */
export const notImplementedRoutes: ReadonlySet<string> = routes;

/**
 * The handler of such a route. It runs after authentication and validation, so clients can already be written against
 * it.
 */
export const notImplemented = (route: Route) => {
  routes.add(route);
  return ({ request: { method, url } }: { request: Request }): never => {
    const called = `${method} ${new URL(url).pathname}`;
    throw new AppError("not_implemented", `${called} is part of the API, but this version does not implement it yet.`);
  };
};
