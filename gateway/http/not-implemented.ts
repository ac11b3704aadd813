import { AppError } from "../../lib/errors";

type Route = `${"GET" | "POST" | "PUT" | "PATCH" | "DELETE"} /v1/${string}`;

const routes = new Set<string>();

/** Routes that are part of the contract but not implemented yet, such as `POST /v1/rag/query`. */
export const notImplementedRoutes: ReadonlySet<string> = routes;

/** Handler of such a route. It runs after authentication and validation, so clients can be written against it now. */
export const notImplemented = (route: Route) => {
  routes.add(route);
  return (): never => {
    throw new AppError("not_implemented", `${route} is part of the API, but this version does not implement it yet.`);
  };
};
