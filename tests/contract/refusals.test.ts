import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { notImplementedRoutes } from "../../gateway/http/not-implemented";
import type { RouteRole } from "../../gateway/http/route-facts";
import type { Role } from "../../gateway/principal";
import { API_ROUTES } from "./api-routes";
import { documentedRequests } from "./documented-requests";
import { errorOf } from "./error-of";
import { type Stack, startStack } from "./stack";

/** The next lower role of each role; metrics is the lowest. */
const BELOW: Partial<Record<RouteRole, Role>> = {
  viewer: "metrics",
  member: "viewer",
  editor: "member",
  admin: "editor",
};

let stack: Stack;
let documented: Awaited<ReturnType<typeof documentedRequests>>;
const keys = new Map<Role, string>();

beforeAll(async () => {
  stack = await startStack();
  for (const role of ["metrics", "viewer", "member", "editor"] as const) keys.set(role, await stack.keyOf(role));
  documented = await documentedRequests(stack);
});
afterAll(() => stack.close());

describe("every route", () => {
  test("returns 401 without a key, even if the request has other errors", async () => {
    for (const { route, method, path, role } of API_ROUTES.filter((one) => one.role !== "open")) {
      const response = await stack.call(method, path, { key: null, body: method === "GET" ? undefined : "{not json" });
      const { code, request_id } = await errorOf(response);
      expect([route, role, response.status, code]).toEqual([route, role, 401, "missing_api_key"]);
      expect(response.headers.get("x-request-id")).toBe(request_id);
    }
  });

  test("returns 403 to the role below the required one", async () => {
    for (const { route, method, path, role } of API_ROUTES) {
      const below = role && BELOW[role];
      if (!below) continue;
      const response = await stack.call(method, path, {
        key: keys.get(below),
        body: method === "GET" ? undefined : {},
      });
      expect([route, response.status, (await errorOf(response)).code]).toEqual([route, 403, "insufficient_role"]);
    }
  });

  test("returns 400 for an unknown field and names it", async () => {
    for (const entry of API_ROUTES) {
      const { url, body } = documented.requestOf(entry);
      if (typeof body !== "object") continue;
      const response = await stack.call(entry.method, url, { body: { ...body, no_such_field: 1 } });
      const { code, param } = await errorOf(response);
      expect([entry.route, response.status, code, param]).toEqual([
        entry.route,
        400,
        "invalid_request",
        "no_such_field",
      ]);
    }
  });

  test("returns 400 for a body that is not JSON", async () => {
    for (const entry of API_ROUTES) {
      const { url, body } = documented.requestOf(entry);
      if (typeof body !== "object") continue;
      const response = await stack.call(entry.method, url, { body: "{not json" });
      expect([entry.route, response.status, (await errorOf(response)).code]).toEqual([
        entry.route,
        400,
        "invalid_request",
      ]);
    }
  });

  test("that lists returns 400 for a limit out of range and names it", async () => {
    for (const entry of API_ROUTES) {
      if (!documented.operationOf(entry).parameters?.some(({ name }) => name === "limit")) continue;
      const { url } = documented.requestOf(entry);
      const response = await stack.call(entry.method, `${url}${url.includes("?") ? "&" : "?"}limit=0`);
      expect([entry.route, response.status, (await errorOf(response)).param]).toEqual([entry.route, 400, "limit"]);
    }
  });

  test("that is not implemented accepts its example and returns 501", async () => {
    for (const entry of API_ROUTES.filter(({ route }) => notImplementedRoutes.has(route))) {
      const { url, body } = documented.requestOf(entry);
      const response = await stack.call(entry.method, url, { body });
      const { code, retryable } = await errorOf(response);
      expect([entry.route, response.status, code, retryable]).toEqual([entry.route, 501, "not_implemented", false]);
    }
  });
});

test("a form's files reach the routes that accept them", async () => {
  for (const [path, field, status] of [
    ["/v1/rag/indexes/idx_1/documents", "files", 404],
    ["/v1/datasets/ds_1/revisions", "file", 404],
  ] as const) {
    const form = new FormData();
    form.append(field, new File(['{"input":"What?"}\n'], "samples.jsonl"));
    const headers = { authorization: `Bearer ${stack.adminKey}` };
    const response = await fetch(stack.url + path, { method: "POST", body: form, headers });
    expect([path, response.status]).toEqual([path, status]);
  }
});
