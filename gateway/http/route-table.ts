export type RouteList = () => readonly {
  method: string;
  path: string;
  hooks?: { body?: unknown; query?: unknown; params?: unknown; detail?: object & { "x-bodies"?: unknown } };
}[];

const fits = (pattern: string, path: string): boolean => {
  const wanted = pattern.split("/");
  const parts = path.split("/");
  for (const [i, segment] of wanted.entries()) {
    if (segment === "*") return true;
    if (parts[i] === undefined || !(segment.startsWith(":") ? parts[i] !== "" : segment === parts[i])) return false;
  }
  return wanted.length === parts.length;
};

/** Methods that some route answers on `path`, sorted; empty when no route has it. `pattern` is Elysia's: `/keys/:id`, `/assets/*`. */
export const allowedMethods = (routes: ReturnType<RouteList>, path: string): string[] => [
  ...new Set(
    routes
      .filter((route) => fits(route.path, path))
      .map((route) => route.method)
      .sort(),
  ),
];

/** Finds the pattern of the route that a request is meant for, as metrics name it; undefined when there is none. */
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
