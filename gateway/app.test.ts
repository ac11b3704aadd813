import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../lib/log";
import { defaultConfig } from "../lib/settings";
import { errorOf } from "../tests/contract/error-of";
import { type Composition, compose } from "./compose";
import type { Readiness } from "./health/contract";
import type { RouteFacts } from "./http/route-facts";

const ADMIN_KEY = "test-admin-key-of-more-than-32-characters";
let composition: Composition;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "groundwire-app-"));
  composition = await compose(
    defaultConfig({
      dataDir,
      gateway: { adminKey: ADMIN_KEY, nodes: ["http://127.0.0.1:9"], publicUrl: "https://ai.example.com" },
    }),
    silentLog(),
  );
});
afterAll(async () => {
  await composition.close(0);
  await rm(dataDir, { recursive: true, force: true });
});

const send = (method: string, path: string, init: RequestInit = {}) =>
  composition.app.handle(new Request(`http://localhost${path}`, { method, ...init }));
const authorized = { authorization: `Bearer ${ADMIN_KEY}` };
const statusOf = async (response: Response) => ((await response.json()) as Readiness).status;
const routes = () => composition.app.routes.map(({ method, path }) => `${method} ${path}`);

describe("K5: the role", () => {
  const roleOf = ({ detail }: { detail?: RouteFacts }) => detail?.["x-role"];

  test("is declared by every route", () => {
    const without = composition.app.routes.filter(({ hooks }) => roleOf(hooks) === undefined);
    expect(without.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  test("leaves only the health and documentation routes of the API open", () => {
    const open = composition.app.routes.filter(({ hooks }) => /^(open|public)$/.test(roleOf(hooks) ?? ""));
    expect(open.map(({ path }) => path).filter((path) => path.startsWith("/v1") || path === "/metrics")).toEqual([]);
  });
});

test("W6: every response has the security headers for browsers, including errors and pages", async () => {
  const answers = [
    await send("GET", "/healthz"),
    await send("GET", "/openapi.json"),
    await send("GET", "/sign-in"),
    await send("GET", "/nowhere"),
    await send("GET", "/v1/keys"),
    await send("GET", "/v1/keys", { headers: authorized }),
    await send("POST", "/v1/chat", { headers: authorized, body: "{" }),
  ];
  for (const { url, status, headers } of answers) {
    expect([url, status, headers.get("x-content-type-options")]).toEqual([url, status, "nosniff"]);
    expect([url, status, headers.get("strict-transport-security")]).toEqual([url, status, "max-age=31536000"]);
    expect(headers.get("referrer-policy")).toBeTruthy();
    expect(headers.get("cross-origin-resource-policy")).toBe("same-origin");
    expect(headers.get("cache-control")).toBeTruthy();
  }
});

test("every API route returns 401 without a key, and says how to authenticate", async () => {
  for (const route of routes().filter((each) => / \/(v1|metrics)/.test(each))) {
    const [method = "", path = ""] = route.split(" ");
    const response = await send(method, path.replaceAll(/:\w+/g, "x"));
    expect([route, response.status, response.headers.get("www-authenticate")]).toEqual([
      route,
      401,
      'Bearer realm="groundwire"',
    ]);
    expect((await errorOf(response)).code).toBe("missing_api_key");
  }
});

test("a path that does not exist is 401 without a key and 404 with one", async () => {
  expect((await send("GET", "/v1/nothing")).status).toBe(401);
  expect((await send("GET", "/v1/nothing", { headers: authorized })).status).toBe(404);
});

test("401 takes precedence over an invalid body, a wrong content type and a large body", async () => {
  for (const body of ["{", "x".repeat(5_000_000)]) {
    expect((await send("POST", "/v1/chat", { body, headers: { "content-type": "text/plain" } })).status).toBe(401);
  }
});

test("an unsupported method is a 405 that lists the allowed methods", async () => {
  const response = await send("PUT", "/v1/models", { headers: authorized });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
});

test("a body that is not JSON is 415, one that is too large is 413, and a malformed one is 400", async () => {
  const post = async (body: string, type: string) =>
    (
      await send("POST", "/v1/chat", {
        body,
        headers: { ...authorized, "content-type": type, "content-length": String(body.length) },
      })
    ).status;
  expect(await post("a=b", "application/x-www-form-urlencoded")).toBe(415);
  expect(await post("x".repeat(5_000_000), "application/json")).toBe(413);
  expect(await post("{", "application/json")).toBe(400);
  expect(await post("[".repeat(100_000) + "]".repeat(100_000), "application/json")).toBe(400);
});

test("every response has a request id, the caller's if it is valid, and the key's limits", async () => {
  const response = await send("GET", "/v1/models", { headers: { ...authorized, "x-request-id": "mine-1" } });
  expect(response.headers.get("x-request-id")).toBe("mine-1");
  expect(response.headers.get("ratelimit-policy")).toContain('"requests"');
  expect(response.headers.get("x-ratelimit-limit-requests")).not.toBeNull();
  expect((await send("GET", "/healthz")).headers.get("x-request-id")).toStartWith("req_");
});

test("every response says how it may be cached, and how long it took", async () => {
  const paths = ["/v1/models", "/v1/nothing", "/healthz", "/openapi.json", "/docs", "/sign-in", "/nowhere", "/metrics"];
  for (const path of paths) {
    const { headers } = await send("GET", path, { headers: authorized });
    const said = ["x-content-type-options", "referrer-policy", "cross-origin-resource-policy", "cache-control"];
    expect([path, ...said.filter((name) => !headers.has(name))]).toEqual([path]);
    expect(headers.get("server-timing")).toContain("total;dur=");
  }
  const [asset = ""] = /\/assets\/[^"]+/.exec(await (await send("GET", "/sign-in")).text()) ?? [];
  expect((await send("GET", asset)).headers.get("cache-control")).toContain("immutable");
});

test("a browser gets an error as a page, but on an API path as JSON", async () => {
  const typeOf = async (method: string, path: string) =>
    (await send(method, path, { headers: { accept: "text/html" } })).headers.get("content-type")?.split(";")[0];
  for (const path of ["/nowhere", "/chat/nowhere", "/docs/nowhere"]) {
    expect([path, await typeOf("GET", path)]).toEqual([path, "text/html"]);
  }
  for (const path of ["/healthz", "/openapi.json", "/metrics", "/v1/nothing", "/v1/keys"]) {
    expect([path, await typeOf("PUT", path)]).toEqual([path, "application/json"]);
  }
});

test("resources that are the same for everyone don't read the session", async () => {
  const cookie = { cookie: "__Host-groundwire=not-a-session" };
  await composition.open();
  const { sessions } = composition.services;
  const { verify } = sessions;
  const asked: string[] = [];
  sessions.verify = async (value) => {
    asked.push(value);
    return undefined;
  };
  for (const path of ["/healthz", "/livez", "/readyz", "/docs", "/openapi.json", "/assets/app.css"]) {
    await send("GET", path, { headers: cookie });
  }
  expect(asked).toEqual([]);
  await send("GET", "/sign-in", { headers: cookie });
  expect(asked).toEqual(["not-a-session"]);
  sessions.verify = verify;
});

test("a body in another charset is 415, and one that is not valid UTF-8 is 400", async () => {
  const post = (body: string | Uint8Array<ArrayBuffer>, type: string) =>
    send("POST", "/v1/chat", { body, headers: { ...authorized, "content-type": type } });
  const bytes = Buffer.from('{"messages":[{"role":"user","content":"??"}]}');
  bytes[bytes.indexOf("?")] = 0xff;
  const broken = await post(bytes, "application/json");
  expect([broken.status, (await errorOf(broken)).message]).toEqual([400, expect.stringContaining("UTF-8")]);
  expect((await post("{}", "application/json; charset=utf-16")).status).toBe(415);
  expect((await post("{}", 'application/json; charset="UTF-8"')).status).toBe(400);
  expect((await post("{}", "application/json; charset=us-ascii")).status).toBe(400);
});

test("without a node, a chat is rejected immediately, and the error says when to retry", async () => {
  await composition.open();
  const response = await send("POST", "/v1/chat/completions", {
    headers: { ...authorized, "content-type": "application/json" },
    body: JSON.stringify({ messages: [{ role: "user", content: "hi" }] }),
  });
  expect(response.status).toBe(503);
  expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  expect(response.headers.get("x-should-retry")).toBe("true");
  const readiness = await send("GET", "/readyz");
  expect([readiness.status, await statusOf(readiness)]).toEqual([503, "down"]);
});

test("while draining, readiness is 503", async () => {
  composition.services.health.drain();
  const readiness = await send("GET", "/readyz");
  expect([readiness.status, await statusOf(readiness)]).toEqual([503, "draining"]);
});
