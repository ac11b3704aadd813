import type { Stack } from "./stack";

export interface Operation {
  parameters?: { name?: string; in?: string; required?: boolean; example?: unknown }[];
  requestBody?: { content: Record<string, { example?: unknown; schema?: { $ref?: string } }> };
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { properties?: Record<string, unknown> }> };
}

type Route = { method: string; path: string };

/** Requests to the API's routes, made from the examples in the OpenAPI document of a running stack. */
export const documentedRequests = async (stack: Stack) => {
  const { paths, components } = (await (await stack.call("GET", "/openapi.json", { key: null })).json()) as Document;

  const operationOf = ({ method, path }: Route): Operation =>
    paths[path.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()] ?? {};

  /** The path and body of a request. The objects that it names don't exist. */
  const requestOf = (route: Route): { url: string; body: unknown } => {
    const { parameters = [], requestBody } = operationOf(route);
    const values = new Map(parameters.map(({ name, example }) => [name, String(example)]));
    const path = route.path.replace(/:(\w+)/g, (_, name) => encodeURIComponent(values.get(name) ?? "x"));
    const query = parameters
      .filter((one) => one.in === "query" && one.required)
      .map(({ name }) => `${name}=${values.get(name)}`);
    const body = requestBody?.content["application/json"]?.example;
    return { url: query.length > 0 ? `${path}?${query.join("&")}` : path, body };
  };

  /** The names of the fields that a route's JSON body may have. */
  const fieldsOf = (route: Route): string[] => {
    const name = operationOf(route).requestBody?.content["application/json"]?.schema?.$ref?.split("/").at(-1) ?? "";
    return Object.keys(components.schemas[name]?.properties ?? {});
  };

  return { operationOf, requestOf, fieldsOf };
};
