export type RouteList = () => readonly {
  method: string;
  path: string;
  hooks?: { query?: unknown; params?: unknown };
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
