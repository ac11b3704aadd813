import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ErrorEnvelope } from "../../lib/errors";
import { type Stack, startStack } from "./stack";

/* The response to a program that calls a path without a route, usually because its base URL lacks /v1. */

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.close());

const NOTHING_NEAR = "GET /openapi.json lists the routes.";

describe("the response to a call with an API key names the existing route", () => {
  test.each([
    ["POST", "/chat/completions", "POST /v1/chat/completions"],
    ["POST", "/completions", "POST /v1/completions"],
    ["POST", "/embeddings", "POST /v1/embeddings"],
    ["GET", "/models", "GET /v1/models"],
    ["GET", "/models/smollm2-135m-instruct", "GET /v1/models/smollm2-135m-instruct"],
    ["POST", "/evaluate", "POST /v1/evaluate"],
    ["POST", "/rag/query", "POST /v1/rag/query"],
    ["GET", "/auth/me", "GET /v1/auth/me"],
    ["POST", "/api/v1/chat/completions", "POST /v1/chat/completions"],
    ["POST", "/openai/v1/chat/completions", "POST /v1/chat/completions"],
    ["POST", "/openai/deployments/gpt/chat/completions", "POST /v1/chat/completions"],
    ["POST", "/v1/v1/chat/completions", "POST /v1/chat/completions"],
    ["POST", "/V1/Chat/Completions", "POST /v1/chat/completions"],
    ["POST", "/v1/chat/completion", "POST /v1/chat/completions"],
    ["POST", "/v1/chat/completions/extra", "POST /v1/chat/completions"],
    ["POST", "/v1/embedding", "POST /v1/embeddings"],
    ["GET", "/v1/model", "GET /v1/models"],
    ["GET", "/embeddings", "POST /v1/embeddings"],
    ["POST", "/responses", "POST /v1/responses"],
    ["POST", "/messages", "POST /v1/messages"],
    ["GET", "/v1/projects", undefined],
    ["GET", "/favicon.png", undefined],
  ])("%s %s: %s", async (method, path, likely) => {
    const response = await stack.call(method, path);
    const { error } = (await response.json()) as ErrorEnvelope;
    expect([response.status, error.code]).toEqual([404, "not_found"]);
    expect(error.message).toBe(`${path} was not found. ${likely ? `Did you mean ${likely}?` : NOTHING_NEAR}`);
  });

  test.each([
    ["POST", "/chat", "POST /v1/chat"],
    ["GET", "/keys", "GET /v1/keys"],
    ["POST", "/keys", "POST /v1/keys"],
    ["GET", "/datasets", "GET /v1/datasets"],
    ["POST", "/evals", "GET /v1/evals"],
    ["GET", "/chat/completions", "POST /v1/chat/completions"],
    ["POST", "/keys/key_1/rotate", "POST /v1/keys/key_1/rotate"],
  ])("%s %s reports that the path is a page", async (method, path, likely) => {
    const response = await stack.call(method, path, { body: method === "POST" ? {} : undefined });
    const { error } = (await response.json()) as ErrorEnvelope;
    expect([response.status, error.message]).toEqual([404, `${path} is a page for browsers. Did you mean ${likely}?`]);
  });
});

test.each([
  ["POST", "/v1/audio/transcriptions", 404],
  ["POST", "/v1/embedding", 404],
  ["PUT", "/v1/chat", 405],
  ["PATCH", "/v1/models", 405],
  ["POST", "/v1/models", 405],
  ["DELETE", "/v1/datasets/x/export", 405],
  ["POST", "/v1/chat", 415],
  ["POST", "/v1/chat/", 415],
  ["PATCH", "/v1/keys/key_1", 415],
])("%s %s with a form gets %i, because the route is checked before the body's type", async (method, path, status) => {
  const key = await stack.keyOf("admin");
  const file = new FormData();
  file.set("file", new File(["x"], "a.wav"));
  for (const body of [new URLSearchParams({ a: "b" }), file]) {
    const response = await fetch(stack.url + path, { method, headers: { authorization: `Bearer ${key}` }, body });
    const { error } = (await response.json()) as ErrorEnvelope;
    expect([response.status, error.message.includes("Send JSON")]).toEqual([status, status === 415]);
  }
});

describe("the response for a path without a page is", () => {
  const json = { "content-type": "application/json" };
  test.each([
    ["JSON for an API key", "POST", { authorization: "Bearer gw_any" }, true],
    ["JSON for x-api-key", "POST", { "x-api-key": "gw_any" }, true],
    ["JSON for a JSON body", "POST", json, true],
    ["JSON for a JSON-based body type", "POST", { "content-type": "application/problem+json; charset=utf-8" }, true],
    ["JSON if JSON is requested", "GET", { accept: "application/json" }, true],
    ["JSON if JSON or anything is requested", "GET", { accept: "application/json, text/plain, */*" }, true],
    [
      "a page for a browser",
      "GET",
      { accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" },
      false,
    ],
    ["a page if both are requested", "GET", { accept: "text/html, application/json" }, false],
    ["a page behind a proxy that asks for a password", "GET", { authorization: "Basic dTpw" }, false],
    ["a page if anything is requested", "GET", { accept: "*/*" }, false],
  ] as const)("%s", async (_, method, headers, isJson) => {
    const given: Record<string, string> = { ...headers };
    const response = await fetch(`${stack.url}/no-such-page`, {
      method,
      headers: given,
      body: method === "POST" ? "{}" : undefined,
    });
    expect([response.status, response.headers.get("content-type")?.includes("json")]).toEqual([404, isJson]);
    await response.body?.cancel();
  });

  test("JSON even for a body over the limit for callers without a key", async () => {
    const response = await stack.call("POST", "/chat/completions", { body: { text: "x".repeat(200_000) } });
    expect(response.status).toBe(404);
  });
});

describe("an API key", () => {
  const statusWith = async (headers: Record<string, string>, method = "GET", path = "/v1/auth/me") =>
    (await fetch(stack.url + path, { method, headers })).status;
  test.each([
    ["in authorization", (key: string) => ({ authorization: `Bearer ${key}` }), 200],
    ["in x-api-key", (key: string) => ({ "x-api-key": key }), 200],
    ["in both", (key: string) => ({ authorization: `Bearer ${key}`, "x-api-key": key }), 200],
    ["in authorization, which wins", (key: string) => ({ authorization: `Bearer ${key}`, "x-api-key": "no" }), 200],
    ["in x-api-key, which does not win", (key: string) => ({ authorization: "Bearer no", "x-api-key": key }), 401],
    [
      "in x-api-key behind a proxy's password",
      (key: string) => ({ authorization: "Basic dTpw", "x-api-key": key }),
      200,
    ],
    ["in x-api-key with an empty authorization", (key: string) => ({ authorization: "", "x-api-key": key }), 200],
    ["that is wrong, in x-api-key", () => ({ "x-api-key": "gw_no" }), 401],
    ["that is empty, in x-api-key", () => ({ "x-api-key": "" }), 401],
    ["without Bearer, in authorization", (key: string) => ({ authorization: key }), 401],
  ])("%s", async (_, headers, status) => {
    expect(await statusWith(headers(stack.adminKey))).toBe(status);
  });

  test("in x-api-key gets the stored answer for its Idempotency-Key", async () => {
    const create = async () => {
      const response = await fetch(`${stack.url}/v1/keys`, {
        method: "POST",
        headers: { "x-api-key": stack.adminKey, "idempotency-key": "by-x-api-key", "content-type": "application/json" },
        body: JSON.stringify({ name: "once", role: "viewer" }),
      });
      return (await response.json()) as { key: string };
    };
    expect((await create()).key).toBe((await create()).key);
  });
});
