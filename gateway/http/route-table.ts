import { Memoirist } from "memoirist";
import { AppError } from "../../lib/errors";
import { nearest } from "../../lib/nearest";
import { notOffered } from "../not-offered";
import type { RouteFacts, RouteRole } from "./route-facts";
import { type Inputs, inputsOf } from "./route-inputs";

export type RouteList = () => readonly {
  method: string;
  path: string;
  handler?: unknown;
  hooks?: { body?: unknown; query?: unknown; params?: unknown; detail?: RouteFacts & { summary?: string } };
}[];

export interface Route {
  method: string;
  /** Elysia's pattern: `/v1/keys/:id`. */
  path: string;
  /** undefined: access is denied to everyone. */
  role: RouteRole | undefined;
  facts: RouteFacts;
  /** Whether the route is part of the API and the OpenAPI document. Other routes are pages and their files. */
  isDocumented: boolean;
  takesFiles: boolean;
  inputs: Inputs;
  handler: unknown;
}

const API = "/v1/";

/** Paths that require an API key even if no route matches, so that callers without a key can't probe for routes. */
export const needsKey = (path: string): boolean =>
  path.startsWith(API) ||
  path === "/v1" ||
  path === "/metrics" ||
  path.startsWith("/metrics/") ||
  path === "/mcp" ||
  path.startsWith("/mcp/");

const hasFile = (schema: unknown): boolean => JSON.stringify(schema)?.includes('"format":"binary"') ?? false;

const toRoute = ({ method, path, handler, hooks = {} }: ReturnType<RouteList>[number]): Route => {
  const facts = hooks.detail ?? {};
  return {
    method,
    path,
    role: facts["x-role"],
    facts,
    isDocumented: facts.summary !== undefined,
    takesFiles: [hooks.body, ...(facts["x-bodies"] ?? [])].some(hasFile),
    inputs: inputsOf(hooks, facts.summary !== undefined),
    handler,
  };
};

const withoutSlash = (path: string): string => (path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path);

/** Finds routes by method and path. `list` is called on the first request, when all routes are registered. */
export class RouteTable {
  readonly #fixed = new Map<string, Map<string, Route>>();
  readonly #patterns = new Memoirist<Route>();
  readonly #methods = new Set<string>();
  #isBuilt = false;

  constructor(private readonly list: RouteList) {}

  /** The route for this method and path. A GET route also answers HEAD. A static path takes precedence over a pattern. */
  find(method: string, path: string): Route | undefined {
    if (!this.#isBuilt) this.#build();
    const wanted = method === "HEAD" ? "GET" : method;
    const place = this.#fixed.get(path) ?? this.#fixed.get(withoutSlash(path));
    return place?.get(wanted) ?? this.#patterns.find(wanted, withoutSlash(path))?.store;
  }

  /** The methods for the `allow` header: GET implies HEAD, and every route answers OPTIONS. Empty if no route matches. */
  allowedMethods(path: string): string[] {
    const methods = this.#methodsOn(path);
    return methods.length === 0
      ? []
      : [...new Set([...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"])].sort();
  }

  /** Whether the path belongs to the API rather than a page: it needs a key, or the OpenAPI document lists it. */
  isApi(path: string): boolean {
    return needsKey(path) || this.#methodsOn(path).some((method) => this.find(method, path)?.isDocumented);
  }

  /** The not_found error for an unknown path, with a suggested route, or what to use instead. */
  noRoute(method: string, path: string): AppError {
    const missing = notOffered(path);
    if (missing !== undefined) return new AppError("not_found", `${path} was not found. ${missing}`);
    const likely = this.#likelyRoute(method, path);
    const hint = likely ? `Did you mean ${likely}?` : "GET /openapi.json lists the routes.";
    const isPage = this.#methodsOn(path).includes(method);
    return new AppError(
      "not_found",
      `${isPage ? `${path} is a page for browsers.` : `${path} was not found.`} ${hint}`,
    );
  }

  #build(): void {
    this.#isBuilt = true;
    for (const listed of this.list()) {
      const { method, path } = listed;
      this.#methods.add(method);
      if (path.includes(":")) this.#patterns.add(method, path, toRoute(listed));
      else this.#fixed.set(path, (this.#fixed.get(path) ?? new Map()).set(method, toRoute(listed)));
    }
  }

  /** The sorted methods of the routes that match `path`; empty if none do. `/conversations/export` doesn't match `:id`. */
  #methodsOn(path: string): string[] {
    if (!this.#isBuilt) this.#build();
    const place = this.#fixed.get(withoutSlash(path));
    return (place ? [...place.keys()] : [...this.#methods].filter((method) => this.find(method, path))).sort();
  }

  /**
   * The API route that the caller most likely meant, such as `POST /v1/chat/completions`, for a path without /v1, with
   * an extra prefix (`/openai/v1/…`, `/v1/v1/…`), in upper case, or with a typo.
   */
  #likelyRoute(method: string, path: string): string | undefined {
    const parts = path.split("/").filter((part) => part !== "" && part.toLowerCase() !== "v1");
    const tails = parts.flatMap((_, i) => {
      const tail = parts.slice(i).join("/");
      return [tail, tail.toLowerCase()];
    });
    for (const tail of tails) {
      const methods = this.#methodsOn(API + tail);
      if (methods.length > 0) return `${methods.includes(method) ? method : methods.join(" or ")} ${API}${tail}`;
    }
    const fixed = [...this.#fixed.keys()].filter((known) => known.startsWith(API));
    const tail = nearest(parts.join("/"), new Set(fixed.map((known) => known.slice(API.length))));
    return tail === undefined ? undefined : this.#likelyRoute(method, tail);
  }
}
