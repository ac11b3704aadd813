import { afterEach, beforeEach, expect, test } from "bun:test";
import { Elysia } from "elysia";
import type { Db } from "../../db/client";
import { silentLog } from "../../lib/log";
import { defaultConfig } from "../../lib/settings";
import { temporaryDb } from "../../tests/db/temporary";
import { httpWith } from "../../tests/http-plugin";
import { memoryLedger } from "../adapters/ledger-memory";
import { createIdempotency } from "../idempotency/service";
import { createLedger, type Ledger } from "../limits/ledger";
import { limitRoutes } from "../limits/routes";
import type { Role } from "../principal";
import type { CreateKey } from "./contract";
import { keyRoutes } from "./routes";
import { createKeys, type KeysService, LOCAL_ACTOR } from "./service";

let db: Db;
let keys: KeysService;
let ledger: Ledger;
let call: (key: string | undefined, route: string, body?: unknown) => Promise<Response>;

/** The body, untyped, because the assertions check it. */
const json = async (response: Response | Promise<Response>) => JSON.parse(await (await response).text());

/** The key and limit routes, with the gateway's hooks. */
beforeEach(async () => {
  db = await temporaryDb();
  keys = createKeys({ db, config: defaultConfig() });
  ledger = createLedger({
    store: memoryLedger(),
    price: { currency: "USD" },
    slots: () => ({ answers: 1, embeddings: 1 }),
  });
  const app = new Elysia({ normalize: false });
  app
    .use(
      httpWith({
        verifyKey: (authorization) => keys.verify(authorization),
        verifyWorker: (token, keyId) => keys.verifyWorker(token, keyId),
        verifySession: () => undefined,
        reserve: (principal, isCounted, route) =>
          isCounted ? ledger.reserve(principal, route) : ledger.look(principal),
        routes: () => app.routes,
      }),
    )
    .use(keyRoutes({ keys, idempotency: createIdempotency({ db, log: silentLog() }) }))
    .use(limitRoutes({ ledger }))
    .get("/v1/forgotten", () => "a route that declares no role");
  call = (key, route, body) => {
    const [method, path] = route.split(" ");
    const headers: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    const request = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
    return app.handle(new Request(`http://localhost${path}`, request));
  };
});
afterEach(async () => {
  await keys.close();
  await db.close();
});

const keyOf = (role: Role, limits: Partial<CreateKey> = {}) =>
  keys.create(LOCAL_ACTOR, { name: `a ${role}`, role, ...limits });

const ROUTES = [
  "GET /v1/keys",
  "POST /v1/keys",
  "GET /v1/keys/key_x",
  "PATCH /v1/keys/key_x",
  "DELETE /v1/keys/key_x",
  "POST /v1/keys/key_x/rotate",
];

test("K5: every route returns 401 without a key and 403 for every role below admin", async () => {
  const below = await Promise.all((["viewer", "member", "editor", "metrics"] as const).map((role) => keyOf(role)));
  for (const route of ROUTES) {
    const body = /^P/.test(route) ? {} : undefined;
    expect((await call(undefined, route, body)).status).toBe(401);
    for (const { key } of below) expect((await call(key, route, body)).status).toBe(403);
  }
});

test("a key is created, read, changed, rotated, listed and revoked; its secret is shown only at creation", async () => {
  const admin = (await keyOf("admin")).key;
  const created = await call(admin, "POST /v1/keys", { name: "ci", role: "member", requests_per_minute: 30 });
  expect(created.status).toBe(201);
  const { key, ...shown } = await json(created);
  expect(shown).toMatchObject({ name: "ci", status: "active", limits: { requests_per_minute: 30 }, expires_at: null });

  const read = await call(admin, `GET /v1/keys/${shown.id}`);
  expect(await json(read)).toEqual(shown);
  const changed = await call(admin, `PATCH /v1/keys/${shown.id}`, { allowed_models: ["small"] });
  expect(await json(changed)).toEqual({ ...shown, allowed_models: ["small"] });

  const rotated = await json(call(admin, `POST /v1/keys/${shown.id}/rotate`, { grace_seconds: 60 }));
  expect(rotated).toMatchObject({ rotated_from: shown.id, allowed_models: ["small"] });
  expect((await call(key, "GET /v1/auth/me")).status).toBe(200);
  expect(await json(call(rotated.key, "GET /v1/auth/me"))).toMatchObject({ key_id: rotated.id, via: "key" });

  const text = await (await call(admin, "GET /v1/keys?limit=2")).text();
  const page = JSON.parse(text);
  expect([page.data.length, page.has_more]).toEqual([2, true]);
  expect(text).not.toContain(key.slice(16));
  const rest = await json(call(admin, `GET /v1/keys?limit=2&after=${page.next_cursor}`));
  expect([rest.data.length, rest.has_more, rest.next_cursor]).toEqual([1, false, null]);

  expect(await json(call(admin, `DELETE /v1/keys/${shown.id}`))).toMatchObject({ status: "revoked" });
  const refused = await call(key, "GET /v1/auth/me");
  expect([refused.status, (await json(refused)).error.code]).toEqual([401, "invalid_api_key"]);
});

test("400 names the invalid field; S1: fields that a caller may not set are rejected", async () => {
  const admin = (await keyOf("admin")).key;
  const good = { name: "ci", role: "member" };
  const cases: [body: unknown, param: string | null][] = [
    [{ role: "member" }, "name"],
    [{ ...good, name: "" }, "name"],
    [{ ...good, role: "boss" }, "role"],
    [{ ...good, requests_per_minute: 0 }, "requests_per_minute"],
    [{ ...good, expires_at: "soon" }, "expires_at"],
    [{ ...good, expires_at: "2099-02-30T00:00:00Z" }, "expires_at"],
    [{ ...good, expires_at: "2099-01-31" }, "expires_at"],
    [{ ...good, expires_at: "2020-01-01T00:00:00.000Z" }, "expires_at"],
    [{ ...good, id: "key_mine" }, "id"],
    [{ ...good, is_bootstrap: true }, "is_bootstrap"],
    [{ ...good, created_by: "nobody" }, "created_by"],
  ];
  for (const [body, param] of cases) {
    const response = await call(admin, "POST /v1/keys", body);
    expect([body, response.status, (await json(response)).error.param]).toEqual([body, 400, param]);
  }
  expect((await call(admin, "GET /v1/keys/key_none")).status).toBe(404);
  for (const limit of ["1000", "0", "1.5", "many"]) {
    const response = await call(admin, `GET /v1/keys?limit=${limit}`);
    expect([limit, response.status, (await json(response)).error.param]).toEqual([limit, 400, "limit"]);
  }
});

test("409 says what to do instead of removing the last admin key", async () => {
  const { key, id } = await keyOf("admin");
  const response = await call(key, `DELETE /v1/keys/${id}`);
  const { error } = await json(response);
  expect([response.status, error.code]).toEqual([409, "conflict"]);
  expect(error.message).toContain("Create another admin key first.");
});

test("L2: every response has both header families, and a 429 says when to retry", async () => {
  const { key } = await keyOf("viewer", { requests_per_minute: 2 });
  for (const remaining of ["1", "0"]) {
    const { status, headers } = await call(key, "GET /v1/auth/me");
    expect([status, headers.get("x-ratelimit-remaining-requests")]).toEqual([200, remaining]);
    expect(headers.get("ratelimit")).toStartWith(`"requests";r=${remaining};t=`);
    expect(headers.get("ratelimit-policy")).toContain('"requests";q=2;w=60');
  }
  const refused = await call(key, "GET /v1/auth/me");
  const { error } = await json(refused);
  expect([refused.status, error.code, error.retryable, error.source]).toEqual([429, "rate_limited", true, "gateway"]);
  const [, untilMore] = /^"requests";r=0;t=(\d+)$/.exec(refused.headers.get("ratelimit") ?? "") ?? [];
  expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(Number(untilMore));
  expect(refused.headers.get("x-ratelimit-limit-requests")).toBe("2");
});

test("limits can be read after they are used up, and reading doesn't count", async () => {
  const { key, id } = await keyOf("viewer", { requests_per_minute: 1 });
  expect(await json(call(key, "GET /v1/limits/explain"))).toMatchObject({
    key_id: id,
    would_refuse: false,
    retry_after_ms: null,
    limits: [
      { name: "requests_per_minute", limit: 1, used: 0, remaining: 1, window: "rolling", frees_at: null },
      { name: "parallel_requests", limit: 64, used: 0, remaining: 64, window: "none", frees_at: null },
    ],
  });
  await call(key, "GET /v1/auth/me");
  const explained = await call(key, "GET /v1/limits/explain");
  const { would_refuse, retry_after_ms, limits } = await json(explained);
  expect([explained.status, would_refuse, limits[0].would_refuse, limits[1].used]).toEqual([200, true, true, 0]);
  expect(retry_after_ms).toBeGreaterThan(59_000);
  expect(Date.parse(limits[0].frees_at) - Date.now()).toBeLessThanOrEqual(60_100);
});

test("a route that declares no role is denied to everyone", async () => {
  const { key } = await keyOf("admin");
  const response = await call(key, "GET /v1/forgotten");
  expect([response.status, (await json(response)).error.code]).toEqual([404, "not_found"]);
});
