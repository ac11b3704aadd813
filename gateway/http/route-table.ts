import { AppError } from "../../lib/errors";
import { nearest } from "../../lib/nearest";

export type RouteList = () => readonly {
  method: string;
  path: string;
  hooks?: { body?: unknown; query?: unknown; params?: unknown; detail?: object & { "x-bodies"?: unknown } };
}[];

type Routes = ReturnType<RouteList>;

const API = "/v1/";

/** `pattern` is Elysia's: `/keys/:id`, `/assets/*`. */
const fits = (pattern: string, path: string): boolean => {
  const wanted = pattern.split("/");
  const parts = path.split("/");
  for (const [i, segment] of wanted.entries()) {
    if (segment === "*") return true;
    if (parts[i] === undefined || !(segment.startsWith(":") ? parts[i] !== "" : segment === parts[i])) return false;
  }
  return wanted.length === parts.length;
};

/**
 * Sorted methods of the routes that match `path`; empty if none does. A fixed path wins: `/conversations/export` does not
 * get the methods of `/conversations/:id`.
 */
const methodsOn = (routes: Routes, path: string): string[] => {
  const wanted = path.length > 1 ? path.replace(/\/$/, "") : path;
  const fixed = routes.filter((route) => route.path === wanted);
  const fitting = fixed.length > 0 ? fixed : routes.filter((route) => fits(route.path, wanted));
  return [...new Set(fitting.map((route) => route.method))].sort();
};

/** Methods for the `allow` header: GET implies HEAD, and every route answers OPTIONS. Empty if no route matches. */
export const allowedMethods = (routes: Routes, path: string): string[] => {
  const methods = methodsOn(routes, path);
  return methods.length === 0
    ? []
    : [...new Set([...methods, ...(methods.includes("GET") ? ["HEAD"] : []), "OPTIONS"])].sort();
};

/**
 * The API route that the caller most likely meant, such as `POST /v1/chat/completions`, for a path without /v1, with an extra
 * prefix (`/openai/v1/…`, `/v1/v1/…`), in upper case, or with a typo.
 */
export const likelyRoute = (routes: Routes, method: string, path: string): string | undefined => {
  const parts = path.split("/").filter((part) => part !== "" && part.toLowerCase() !== "v1");
  const tails = parts.flatMap((_, i) => {
    const tail = parts.slice(i).join("/");
    return [tail, tail.toLowerCase()];
  });
  for (const tail of tails) {
    const methods = methodsOn(routes, API + tail);
    if (methods.length > 0) return `${methods.includes(method) ? method : methods.join(" or ")} ${API}${tail}`;
  }
  const fixed = routes.filter((route) => route.path.startsWith(API) && !/[:*]/.test(route.path));
  const tail = nearest(parts.join("/"), new Set(fixed.map((route) => route.path.slice(API.length))));
  return tail === undefined ? undefined : likelyRoute(routes, method, tail);
};

/** The not_found error for an unknown path, with a suggested route. */
export const noRoute = (routes: Routes, method: string, path: string): AppError => {
  const likely = likelyRoute(routes, method, path);
  const hint = likely ? `Did you mean ${likely}?` : "GET /openapi.json lists the routes.";
  const isPage = methodsOn(routes, path).includes(method);
  return new AppError(
    "not_found",
    `${isPage ? `${path} is a page for browsers.` : `There is no ${path} here.`} ${hint}`,
  );
};

/** Finds the route pattern that a request matches, used as a label in metrics; undefined if there is none. */
export const routeFinder = (routes: RouteList) => {
  let found: { fixed: Set<string>; patterns: { method: string; path: string }[] } | undefined;
  const sort = () => {
    const all = routes();
    const fixed = new Set(all.filter(({ path }) => !/[:*]/.test(path)).map(({ method, path }) => `${method} ${path}`));
    return { fixed, patterns: all.filter(({ path }) => /[:*]/.test(path)) };
  };
  return ({ method: sent, url }: Pick<Request, "method" | "url">): string | undefined => {
    if (!URL.canParse(url)) return undefined;
    found ??= sort();
    const { pathname } = new URL(url);
    const method = sent === "HEAD" ? "GET" : sent;
    if (found.fixed.has(`${method} ${pathname}`)) return pathname;
    return found.patterns.find((route) => route.method === method && fits(route.path, pathname))?.path;
  };
};
