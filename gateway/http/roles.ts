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

  "GET /v1/conversations": "member",
  "POST /v1/conversations": "member",
  "GET /v1/conversations/:id": "member",
  "PATCH /v1/conversations/:id": "member",
  "DELETE /v1/conversations/:id": "member",
  "POST /v1/conversations/:id/stop": "member",

  "GET /v1/auth/me": "any",
  "GET /v1/limits/explain": "any",
  "GET /v1/keys": "admin",
  "POST /v1/keys": "admin",
  "GET /v1/keys/:id": "admin",
  "PATCH /v1/keys/:id": "admin",
  "DELETE /v1/keys/:id": "admin",
  "POST /v1/keys/:id/rotate": "admin",

  "POST /v1/embeddings": "member",
  "GET /v1/rag/indexes": "viewer",
  "POST /v1/rag/indexes": "editor",
  "GET /v1/rag/indexes/:id": "viewer",
  "PATCH /v1/rag/indexes/:id": "editor",
  "DELETE /v1/rag/indexes/:id": "editor",
  "GET /v1/rag/indexes/:id/versions": "viewer",
  "POST /v1/rag/indexes/:id/versions": "editor",
  "POST /v1/rag/indexes/:id/versions/:version/activate": "editor",
  "POST /v1/rag/indexes/:id/calibrate": "editor",
  "GET /v1/rag/indexes/:id/documents": "viewer",
  "POST /v1/rag/indexes/:id/documents": "editor",
  "GET /v1/rag/indexes/:id/documents/:document_id": "viewer",
  "DELETE /v1/rag/indexes/:id/documents/:document_id": "editor",
  "POST /v1/rag/indexes/:id/documents/:document_id/retry": "editor",
  "GET /v1/rag/indexes/:id/documents/:document_id/chunks": "viewer",
  "POST /v1/rag/indexes/:id/ingestion/cancel": "editor",
  "POST /v1/rag/query": "member",
  "GET /v1/datasets": "viewer",
  "POST /v1/datasets": "editor",
  "GET /v1/datasets/:id": "viewer",
  "PATCH /v1/datasets/:id": "editor",
  "DELETE /v1/datasets/:id": "editor",
  "GET /v1/datasets/:id/revisions": "viewer",
  "POST /v1/datasets/:id/revisions": "editor",
  "GET /v1/datasets/:id/samples": "viewer",
  "GET /v1/datasets/:id/export": "viewer",
  "POST /v1/evaluate": "member",
  "GET /v1/evals": "viewer",
  "GET /v1/evals/:id": "viewer",
  "GET /v1/batch-evals": "viewer",
  "POST /v1/batch-evals": "editor",
  "POST /v1/batch-evals/plan": "editor",
  "GET /v1/batch-evals/:id": "viewer",
  "GET /v1/batch-evals/:id/samples": "viewer",
  "GET /v1/batch-evals/:id/events": "viewer",
  "GET /v1/batch-evals/:id/export": "viewer",
  "POST /v1/batch-evals/:id/pause": "editor",
  "POST /v1/batch-evals/:id/cancel": "editor",
  "POST /v1/batch-evals/:id/resume": "editor",
  "POST /v1/batch-evals/:id/recompute": "editor",
  "POST /v1/batch-evals/:id/gate": "viewer",
  "GET /v1/compare": "viewer",
  "GET /v1/feedback": "viewer",
  "POST /v1/feedback": "member",
  "GET /v1/samples/:id/labels": "viewer",
  "POST /v1/samples/:id/labels": "editor",
  "GET /v1/prompts": "viewer",
  "POST /v1/prompts": "editor",
  "GET /v1/prompts/:name": "viewer",
  "GET /v1/prompts/:name/versions": "viewer",
  "GET /v1/prompts/:name/versions/:version": "viewer",
  "PUT /v1/prompts/:name/labels/:label": "editor",
  "GET /v1/evaluators": "viewer",
  "POST /v1/evaluators": "editor",
  "GET /v1/evaluators/:name": "viewer",
  "GET /v1/evaluators/:name/versions": "viewer",
  "POST /v1/evaluators/:name/shadow": "editor",
  "GET /v1/evaluators/:name/shadow-report": "viewer",
  "POST /v1/evaluators/:name/promote": "editor",

  "GET /v1/cache": "admin",
  "POST /v1/cache/explain": "admin",
  "POST /v1/cache/invalidate": "admin",
  "DELETE /v1/cache/entries/:key": "admin",
  "POST /v1/cache/disable": "admin",
  "POST /v1/cache/enable": "admin",
  "POST /v1/cache/share": "admin",
  "GET /v1/metrics": "viewer",
  "GET /metrics": "metrics",

  "GET /openapi.json": "public",
  "GET /docs": "public",
  "GET /docs/:file": "public",

  "GET /": "public",
  "GET /assets/:file": "public",
  "POST /csp-reports": "public",
  "POST /theme": "public",
  "GET /sign-in": "public",
  "POST /sign-in": "public",
  "POST /sign-out": "public",
  "GET /chat": "member",
  "POST /chat": "member",
  "POST /chat/stop": "member",
  "GET /chat/:id": "member",
  "GET /chat/:id/answers/:answer": "member",
  "POST /chat/:id/regenerate": "member",
  "POST /chat/:id/rename": "member",
  "POST /chat/:id/delete": "member",
  "GET /keys": "admin",
  "GET /keys/new": "admin",
  "POST /keys": "admin",
  "GET /keys/:id": "admin",
  "POST /keys/:id/rotate": "admin",
  "POST /keys/:id/revoke": "admin",
  "GET /system": "viewer",
  "GET /system/status": "viewer",
};

/**
 * Throws missing_api_key (a page that nobody has signed in for), insufficient_role, or not_found for a route without a
 * row: nobody reaches what nobody was granted.
 */
export const authorize = (method: string, route: string, principal: Principal | undefined): void => {
  const needed = ROUTE_ROLES[`${method === "HEAD" ? "GET" : method} ${route}`];
  if (needed === "public") return;
  if (needed === undefined) throw new AppError("not_found", `There is no ${route} here.`);
  if (principal === undefined) throw new AppError("missing_api_key", "Sign in to see this page.");
  if (needed === "any" || hasRole(principal.role, needed)) return;
  throw new AppError(
    "insufficient_role",
    `This needs the role ${needed}; the key "${principal.keyName}" is a ${principal.role}. Ask an admin for another key.`,
  );
};
