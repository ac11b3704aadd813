import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { hasRole, type Role } from "../../gateway/principal";
import { API_ROUTES, type ApiRoute, PAGE_ROUTES } from "./api-routes";
import { documentedRequests } from "./documented-requests";
import { errorOf } from "./error-of";
import { type Stack, startStack } from "./stack";

/** Callers: one without a key, and one with a key of each role. */
const CALLERS = [undefined, "metrics", "viewer", "member", "editor", "admin"] as const;

let stack: Stack;
let requests: Awaited<ReturnType<typeof documentedRequests>>;
const keys = new Map<Role, string>();
/** `cookie` header of a session, by role. */
const cookies = new Map<Role, string>();

const signIn = async (key: string): Promise<string> => {
  const response = await fetch(`${stack.url}/sign-in`, {
    method: "POST",
    headers: { origin: stack.url },
    body: new URLSearchParams({ key }),
    redirect: "manual",
  });
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
};

beforeAll(async () => {
  stack = await startStack();
  requests = await documentedRequests(stack);
  for (const role of CALLERS) {
    if (role === undefined) continue;
    keys.set(role, await stack.keyOf(role));
    cookies.set(role, await signIn(keys.get(role) ?? ""));
  }
});
afterAll(() => stack.close());

const isAllowed = ({ role }: ApiRoute, caller: Role | undefined): boolean =>
  role === "open" ||
  role === "public" ||
  (caller !== undefined && (role === "any" || hasRole(caller, role ?? "admin")));

const pathOf = ({ path }: ApiRoute): string => path.replaceAll(/:\w+|\*/g, "x");

/** Opens a page or submits an empty form, as a browser with this session would. */
const open = (
  route: ApiRoute,
  caller: Role | undefined,
  headers: Record<string, string> = { "sec-fetch-site": "same-origin" },
) =>
  fetch(stack.url + pathOf(route), {
    method: route.method,
    headers: { ...(caller && { cookie: cookies.get(caller) ?? "" }), ...headers },
    body: route.method === "GET" ? undefined : new URLSearchParams(),
    redirect: "manual",
  });

/** `allowed`, `signed out` or `forbidden`, from a page's response. */
const verdictOnPage = ({ status, headers }: Response): string => {
  if (status === 403) return "forbidden";
  return headers.get("location")?.startsWith("/sign-in?return=") ? "signed out" : "allowed";
};

/** Signing out would end a session that other requests need. */
const PAGES = PAGE_ROUTES.filter(({ path }) => path !== "/sign-out");

describe("K5: for each role and without a key,", () => {
  test("every API route is allowed or refused as it declares", async () => {
    const wrong: string[] = [];
    for (const route of API_ROUTES) {
      for (const caller of CALLERS) {
        const { url } = requests.requestOf(route);
        const body = route.method === "GET" ? undefined : "{}";
        // Not `stack.call`: a refusal by role can come before what the document describes.
        const { status } = await fetch(stack.url + url, {
          method: route.method,
          headers: { "content-type": "application/json", ...(caller && { "x-api-key": keys.get(caller) ?? "" }) },
          body,
        });
        const verdict = status === 401 ? "no key" : status === 403 ? "forbidden" : "allowed";
        const expected = isAllowed(route, caller) ? "allowed" : caller === undefined ? "no key" : "forbidden";
        if (verdict !== expected) wrong.push(`${route.route} as ${caller ?? "anonymous"}: ${status}, not ${expected}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("every page and form is allowed or refused as it declares", async () => {
    const wrong: string[] = [];
    for (const route of PAGES) {
      for (const caller of CALLERS) {
        const response = await open(route, caller);
        const verdict = verdictOnPage(response);
        const expected = isAllowed(route, caller) ? "allowed" : caller === undefined ? "signed out" : "forbidden";
        if (verdict !== expected)
          wrong.push(`${route.route} as ${caller ?? "anonymous"}: ${response.status}, not ${expected}`);
        await response.body?.cancel();
      }
    }
    expect(wrong).toEqual([]);
  });

  test("a path without a route is never allowed", async () => {
    for (const path of ["/v1/none", "/v1", "/none", "/keys/x/none", "/metrics/none"]) {
      for (const caller of CALLERS) {
        const headers = caller && { cookie: cookies.get(caller) ?? "", "x-api-key": keys.get(caller) ?? "" };
        expect([401, 404]).toContain((await fetch(stack.url + path, { headers })).status);
      }
    }
  });
});

describe("W1: a request that another site can make with a user's cookies", () => {
  const FOREIGN = [
    { "sec-fetch-site": "cross-site" },
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "cross-site", origin: "OURS" },
    { origin: "https://evil.example" },
    { origin: "null" },
    {},
  ];
  const WRITES = PAGES.filter(({ method, role }) => method !== "GET" && role !== "open");

  test.each(FOREIGN)("is rejected by every form: %j", async (given) => {
    for (const route of WRITES) {
      const headers = Object.fromEntries(
        Object.entries(given).map(([name, value]) => [name, value.replace("OURS", stack.url)]),
      );
      const response = await open(route, "admin", headers);
      expect([route.route, response.status]).toEqual([route.route, 403]);
      await response.body?.cancel();
    }
  });

  test("never reaches the API, which ignores cookies", async () => {
    for (const route of API_ROUTES.filter(({ role }) => role !== "open")) {
      for (const type of ["application/json", "text/plain"]) {
        const response = await fetch(stack.url + pathOf(route), {
          method: route.method,
          headers: { cookie: cookies.get("admin") ?? "", "sec-fetch-site": "same-origin", "content-type": type },
          body: route.method === "GET" ? undefined : "{}",
        });
        const { code } = await errorOf(response);
        expect([route.route, response.status, code]).toEqual([route.route, 401, "missing_api_key"]);
      }
    }
  });
});

describe("W3, W6: the headers", () => {
  const POLICY =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; report-to csp";
  /** Swagger UI's icons are `data:` URLs. */
  const VIEWER_POLICY =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  const isPublicFile = (path: string) => /^\/(assets\/|docs|openapi\.json$|favicon)/.test(path);

  const faultsOf = ({ headers }: Response, path: string): string[] => {
    const is = (name: string, wanted: string) =>
      headers.get(name) === wanted ? [] : [`${name}: ${headers.get(name)}`];
    const isPage = headers.get("content-type")?.startsWith("text/html");
    return [
      ...is("x-content-type-options", "nosniff"),
      ...is("cross-origin-resource-policy", "same-origin"),
      ...(/^(no-referrer|same-origin)$/.test(headers.get("referrer-policy") ?? "") ? [] : ["referrer-policy"]),
      ...(isPublicFile(path) ? [] : is("cache-control", "no-store")),
      ...(headers.has("x-request-id") ? [] : ["no x-request-id"]),
      ...["server", "x-powered-by", "via"].filter((name) => headers.has(name)),
      ...(isPage ? is("cross-origin-opener-policy", "same-origin") : []),
      ...(isPage ? is("content-security-policy", path === "/docs" ? VIEWER_POLICY : POLICY) : []),
    ];
  };

  test("of every route are complete, for responses and for errors, and pages have the exact policy", async () => {
    const wrong: string[] = [];
    for (const route of [...PAGES, ...API_ROUTES]) {
      for (const caller of [undefined, "viewer", "admin"] as const) {
        const key =
          route.path.startsWith("/v1") || route.path === "/metrics" ? keys.get(caller ?? "metrics") : undefined;
        const response = await open(route, caller, {
          "sec-fetch-site": "same-origin",
          ...(key && caller && { "x-api-key": key }),
        });
        for (const fault of faultsOf(response, route.path))
          wrong.push(`${route.route} as ${caller ?? "anonymous"} (${response.status}): ${fault}`);
        await response.body?.cancel();
      }
    }
    expect(wrong).toEqual([]);
  });

  test("of a page that does not exist have the same policy", async () => {
    const response = await fetch(`${stack.url}/none`, { headers: { accept: "text/html" } });
    expect(faultsOf(response, "/none")).toEqual([]);
  });
});

describe("S3: headers that only a trusted proxy could set", () => {
  test("do not change addresses, cookies or methods", async () => {
    const forwarded = {
      ...{
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "https",
        forwarded: "host=evil.example;proto=https",
      },
      ...{ "x-original-url": "/keys", "x-rewrite-url": "/keys", "x-http-method-override": "DELETE" },
      ...{ "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1", "x-forwarded-user": "admin" },
    };
    const page = await fetch(`${stack.url}/chat`, {
      headers: { ...forwarded, host: "evil.example" },
      redirect: "manual",
    });
    expect(page.headers.get("location")).toBe("/sign-in?return=%2Fchat");
    const signed = await fetch(`${stack.url}/sign-in`, {
      method: "POST",
      headers: { ...forwarded, origin: stack.url },
      body: new URLSearchParams({ key: keys.get("viewer") ?? "" }),
      redirect: "manual",
    });
    expect(signed.headers.get("set-cookie")).toMatch(
      /^groundwire=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/,
    );
    const response = await stack.call("GET", "/v1/keys", { key: keys.get("viewer"), headers: forwarded });
    expect(response.status).toBe(403);
  });

  test("only a trusted proxy says where failed sign-ins come from, so that a stranger can't block everyone's", async () => {
    const proxied = await startStack({}, { gateway: { trustedProxies: ["127.0.0.0/8"] }, hasWorker: false });
    const guess = async (address: string) => {
      const headers = { origin: proxied.url, "x-forwarded-for": `1.1.1.1, ${address}` };
      const body = new URLSearchParams({ key: "gw_wrong" });
      return (await fetch(`${proxied.url}/sign-in`, { method: "POST", headers, body })).status;
    };
    const statuses = new Set<number>();
    for (let n = 0; n < 31; n++) statuses.add(await guess("203.0.113.7"));
    expect([[...statuses], await guess("203.0.113.8")]).toEqual([[422, 429], 422]);
    await proxied.close();
  });

  test("a path with encoded slashes, dots or line breaks reaches no other route", async () => {
    for (const path of ["/v1/%2e%2e/keys", "/v1/keys%2f..", "/keys%0d%0aset-cookie:%20a=b", "//keys", "/./keys%00"]) {
      const response = await fetch(stack.url + path, {
        headers: { cookie: cookies.get("viewer") ?? "" },
        redirect: "manual",
      });
      expect([path, [401, 403, 404].includes(response.status)]).toEqual([path, true]);
      expect(response.headers.get("set-cookie")).toBeNull();
    }
  });
});

test("W2: the session of a revoked key opens no page after a second", async () => {
  const made = await (await stack.call("POST", "/v1/keys", { body: { name: "leaving", role: "admin" } })).json();
  const { id, key } = made as { id: string; key: string };
  const cookie = await signIn(key);
  const statusOf = async () => (await fetch(`${stack.url}/keys`, { headers: { cookie }, redirect: "manual" })).status;
  expect(await statusOf()).toBe(200);
  await stack.call("DELETE", `/v1/keys/${id}`);
  const revokedAt = performance.now();
  while ((await statusOf()) === 200) {
    expect(performance.now() - revokedAt).toBeLessThan(5000);
    await Bun.sleep(20);
  }
  expect(await statusOf()).toBe(303);
});

test("W2: an admin ends the sessions of a key on its page, and the key keeps working", async () => {
  const made = await (await stack.call("POST", "/v1/keys", { body: { name: "lost laptop", role: "member" } })).json();
  const { id, key } = made as { id: string; key: string };
  const cookie = await signIn(key);
  const statusOf = async () => (await fetch(`${stack.url}/chat`, { headers: { cookie }, redirect: "manual" })).status;
  expect(await statusOf()).toBe(200);
  const ended = await fetch(`${stack.url}/keys/${id}/end-sessions`, {
    method: "POST",
    headers: { cookie: cookies.get("admin") ?? "", "sec-fetch-site": "same-origin" },
    redirect: "manual",
  });
  expect([ended.status, ended.headers.get("location")]).toEqual([303, "/keys?done=signed-out"]);
  expect(await statusOf()).toBe(303);
  expect((await stack.call("GET", "/v1/auth/me", { key })).status).toBe(200);
});
