import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Stack, startStack } from "./stack";

const OURS = "https://app.example.com";
const PORTLESS = "http://localhost";

let open: Stack;
let closed: Stack;
let forAll: Stack;
let limitedKey = "";
beforeAll(async () => {
  open = await startStack({}, { gateway: { corsOrigins: [OURS, "http://LOCALHOST:80", "app://local"] } });
  closed = await startStack();
  forAll = await startStack({}, { gateway: { corsOrigins: ["*"] } });
  limitedKey = await open.keyOf("member", { requests_per_minute: 1 });
  await open.call("GET", "/v1/models", { key: limitedKey });
}, 30_000);
afterAll(() => Promise.all([open, closed, forAll].map((stack) => stack.close())), 30_000);

const preflight = (stack: Stack, path: string, origin: string, headers = {}) =>
  stack.call("OPTIONS", path, {
    key: null,
    headers: { origin, "access-control-request-method": "POST", ...headers },
  });

const allowed = (response: Response) => response.headers.get("access-control-allow-origin");

describe("OPTIONS answers without a key", () => {
  test.each([
    ["/v1/chat/completions", 204, "OPTIONS, POST"],
    ["/v1/chat/completions/", 204, "OPTIONS, POST"],
    ["/v1/models", 204, "GET, HEAD, OPTIONS"],
    ["/v1/models/any", 204, "GET, HEAD, OPTIONS"],
    ["/v1/keys", 204, "GET, HEAD, OPTIONS, POST"],
    ["/v1/keys/key_1", 204, "DELETE, GET, HEAD, OPTIONS, PATCH"],
    ["/v1/keys/key_1/rotate", 204, "OPTIONS, POST"],
    ["/v1/conversations/export", 204, "GET, HEAD, OPTIONS"],
    ["/v1/conversations/import", 204, "OPTIONS, POST"],
    ["/v1/conversations/chat_1", 204, "DELETE, GET, HEAD, OPTIONS, PATCH"],
    ["/v1/rag/query", 204, "OPTIONS, POST"],
    ["/v1/prompts/p/labels/production", 204, "OPTIONS, PUT"],
    ["/healthz", 204, "GET, HEAD, OPTIONS"],
    ["/metrics", 204, "GET, HEAD, OPTIONS"],
    ["/openapi.json", 204, "GET, HEAD, OPTIONS"],
    ["/chat", 204, "GET, HEAD, OPTIONS, POST"],
    ["/v1/nothing", 404, null],
    ["/v1", 404, null],
    ["/nothing", 404, null],
    ["/embeddings", 404, null],
  ])("%s: %d", async (path, status, allow) => {
    const response = await closed.call("OPTIONS", path, { key: null });
    expect([response.status, response.headers.get("allow")]).toEqual([status, allow]);
    expect(response.headers.get("x-request-id")).toStartWith("req_");
    expect(allowed(response)).toBeNull();
  });

  test("a preflight from an origin that is not allowed gets 204 and no CORS headers", async () => {
    for (const stack of [open, closed]) {
      const response = await preflight(stack, "/v1/chat/completions", "https://evil.example");
      expect([response.status, allowed(response), response.headers.get("access-control-allow-methods")]).toEqual([
        204,
        null,
        null,
      ]);
    }
  });

  test("a preflight from an allowed origin gets what it asks for", async () => {
    const asked = { "access-control-request-headers": "authorization,content-type,x-stainless-os" };
    const { status, headers } = await preflight(open, "/v1/chat/completions", OURS, asked);
    expect([status, Object.fromEntries(headers)]).toEqual([
      204,
      expect.objectContaining({
        "access-control-allow-origin": OURS,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "authorization,content-type,x-stainless-os",
        "access-control-max-age": "7200",
        vary: expect.stringContaining("origin"),
      }),
    ]);
    expect(headers.has("access-control-allow-credentials")).toBe(false);
  });

  test("a preflight's requested headers are echoed only if they are a list of names", async () => {
    const asked = { "access-control-request-headers": "a b; c", "access-control-request-method": "po st" };
    const { headers } = await preflight(open, "/v1/chat", OURS, asked);
    expect(headers.get("access-control-allow-headers")).toBe("authorization, content-type, x-api-key, idempotency-key");
    expect(headers.get("access-control-allow-methods")).toBe("GET, POST, PUT, PATCH, DELETE");
  });

  test("a preflight to a wrong path succeeds, so that the script can read the 404 that names the right path", async () => {
    expect((await preflight(open, "/chat/completions", OURS)).status).toBe(204);
    const response = await open.call("POST", "/chat/completions", { body: {}, headers: { origin: OURS } });
    expect([response.status, allowed(response)]).toEqual([404, OURS]);
  });
});

describe("the origin", () => {
  test.each([
    [OURS, OURS],
    [PORTLESS, PORTLESS],
    ["app://local", "app://local"],
    ["https://app.example.com:8443", null],
    ["http://app.example.com", null],
    ["https://app.example.com.evil.example", null],
    ["https://sub.app.example.com", null],
    ["https://APP.example.com", null],
    ["null", null],
    ["*", null],
  ])("%s is answered with %s", async (origin, answer) => {
    const response = await open.call("GET", "/v1/models", { headers: { origin } });
    expect([response.status, allowed(response), response.headers.get("vary")]).toEqual([200, answer, "origin"]);
  });

  test("is ignored if every origin is allowed", async () => {
    for (const headers of [undefined, { origin: "https://any.example" }]) {
      const response = await forAll.call("GET", "/v1/models", { headers });
      expect([allowed(response), response.headers.get("access-control-allow-credentials")]).toEqual(["*", null]);
    }
  });
});

describe("an allowed origin may read", () => {
  const chat = { messages: [{ role: "user", content: "Hello" }], max_tokens: 2 };
  test.each([
    ["an answer", "POST", "/v1/chat/completions", { body: chat }, 200],
    ["a stream", "POST", "/v1/chat/completions", { body: { ...chat, stream: true } }, 200],
    ["a list", "GET", "/v1/keys", {}, 200],
    ["a file", "GET", "/v1/conversations/export?format=markdown", {}, 200],
    ["a 400", "POST", "/v1/chat/completions", { body: {} }, 400],
    ["a 401 without a key", "POST", "/v1/chat/completions", { key: null, body: chat }, 401],
    ["a 401 for a wrong key", "POST", "/v1/chat/completions", { key: "no", body: chat }, 401],
    ["a 404", "GET", "/v1/keys/key_none", {}, 404],
    ["a 404 without a route", "GET", "/v1/none", {}, 404],
    ["a 405", "DELETE", "/v1/models", {}, 405],
    ["a 413", "POST", "/v1/chat", { body: "x".repeat(5_000_000) }, 413],
    ["a 415", "POST", "/v1/chat", { body: "x", headers: { "content-type": "text/plain" } }, 415],
    ["a 501", "POST", "/v1/nodes", { body: { name: "node-2", url: "http://10.0.0.5:8081" } }, 501],
    ["the readiness", "GET", "/readyz", { key: null }, 200],
    ["the document", "GET", "/openapi.json", { key: null }, 200],
  ] as const)("%s", async (_, method, path, options, status) => {
    const headers = { ...("headers" in options && options.headers), origin: OURS };
    const response = await open.call(method, path, { ...options, headers });
    await response.body?.cancel();
    expect([response.status, allowed(response)]).toEqual([status, OURS]);
    const exposed = response.headers.get("access-control-expose-headers")?.split(", ");
    expect(exposed).toEqual(expect.arrayContaining(["x-request-id", "ratelimit", "retry-after", "retry-after-ms"]));
  });

  test("a 429", async () => {
    const response = await open.call("GET", "/v1/models", { key: limitedKey, headers: { origin: OURS } });
    expect([response.status, allowed(response)]).toEqual([429, OURS]);
  });
});
