import { type TSchema, Type } from "@sinclair/typebox";
import { type AnyElysia, Elysia } from "elysia";
import { AppError } from "../../lib/errors";
import { NumberInUrl, PathId } from "../contract";
import { allows, type RouteFacts, type RouteRole } from "./route-facts";

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

interface PlannedRest {
  body?: TSchema;
  query?: TSchema;
  facts?: RouteFacts;
  description?: string;
}

/** `ok`: the schema of the successful response, with its status unless that is 200. */
type PlannedRoute = [
  route: Route,
  role: RouteRole,
  summary: string,
  ok?: TSchema | [status: number, schema: TSchema],
  rest?: PlannedRest,
];

/** Creates planned routes below `/v1`. `:version` in a path is an integer from 1; any other parameter is an id. */
export const plannedRoutes = (tag: string, planned: readonly PlannedRoute[]): AnyElysia => {
  const app = new Elysia({ name: `${tag}: planned routes`, tags: [tag] });
  for (const [route, role, summary, ok, { body, query, facts, description } = {}] of planned) {
    const [method = "", path = ""] = route.split(" ");
    const names = [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);
    const params = names.map((name) => [name, name === "version" ? NumberInUrl({ minimum: 1 }) : PathId.properties.id]);
    const [status, schema] = Array.isArray(ok) ? ok : [200, ok];
    app.route(method, path, notImplemented(route), {
      ...(names.length > 0 && { params: Type.Object(Object.fromEntries(params)) }),
      ...(body && { body }),
      ...(query && { query }),
      ...(schema && { response: { [status]: schema } }),
      detail: { ...allows(role), summary, description, ...facts },
    });
  }
  return app;
};
