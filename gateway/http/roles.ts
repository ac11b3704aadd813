import { AppError } from "../../lib/errors";
import { hasRole, type Principal, type Role } from "../principal";

/** public: no key. any: every valid key. Otherwise the least role. */
export type RouteRole = Role | "public" | "any";

/** Who may call which route. A route that does not stand here is denied to everyone. */
export const ROUTE_ROLES: Readonly<Record<string, RouteRole>> = {
  "GET /healthz": "public",
  "GET /livez": "public",
  "GET /readyz": "public",

  "POST /v1/chat": "member",
  "POST /v1/chat/completions": "member",
  "POST /v1/completions": "member",
  "GET /v1/models": "member",
  "GET /v1/models/:id": "member",
  "GET /v1/nodes": "viewer",
  "GET /v1/nodes/:id": "viewer",
  "POST /v1/nodes/:id/drain": "admin",
  "POST /v1/nodes/:id/undrain": "admin",
};

/** Throws insufficient_role, or not_found for a route without a row: nobody reaches what nobody was granted. */
export const authorize = (method: string, route: string, principal: Principal | undefined): void => {
  const needed = ROUTE_ROLES[`${method} ${route}`];
  if (needed === "public") return;
  if (needed === undefined || principal === undefined) throw new AppError("not_found", `There is no ${route} here.`);
  if (needed === "any" || hasRole(principal.role, needed)) return;
  throw new AppError(
    "insufficient_role",
    `This needs the role ${needed}; the key "${principal.keyName}" is a ${principal.role}. Ask an admin for another key.`,
  );
};
