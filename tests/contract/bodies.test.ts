import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { ErrorEnvelope } from "../../lib/errors";
import { API_ROUTES } from "./api-routes";
import { errorOf } from "./error-of";
import { type Stack, startStack } from "./stack";

let stack: Stack;
let keyId = "";
let conversationId = "";

beforeAll(async () => {
  stack = await startStack();
  const idOf = async (path: string, body: object) =>
    ((await (await stack.call("POST", path, { body })).json()) as { id: string }).id;
  keyId = await idOf("/v1/keys", { name: "rotated", role: "member" });
  conversationId = await idOf("/v1/conversations", { title: "A chat" });
});
afterAll(() => stack.close());

/** Every API route that writes, with existing ids if the test created some. */
const WRITES = API_ROUTES.filter(({ method }) => method !== "GET").map(({ method, path }): [string, string] => [
  method,
  path,
]);
const urlOf = (path: string): string =>
  path
    .replace("/keys/:id", `/keys/${keyId}`)
    .replace("/conversations/:id", `/conversations/${conversationId}`)
    .replace(/:(version|revision)/g, "1")
    .replace(/:\w+/g, "x1");

describe.each(["[]", "5", "null", '"x"', "{", "true", "[{}]", "{}}", "nul", "\u00a0", '{"__proto__":{}}'])(
  "the body %s",
  (body) => {
    test.each(WRITES)("is rejected by %s %s", async (method, path) => {
      const response = await stack.call(method, urlOf(path), { body });
      expect([response.status, (await errorOf(response)).code]).toEqual([400, "invalid_request"]);
    });
  },
);

test("the error for a body that is not an object names its type", async () => {
  const messageFor = async (body: string): Promise<string> => {
    const response = await stack.call("POST", `/v1/keys/${keyId}/rotate`, { body });
    return ((await response.json()) as ErrorEnvelope).error.message;
  };
  expect(await Promise.all(["[]", "5", "null", '"x"', "true"].map(messageFor))).toEqual(
    ["a list", "a number", "null", "text", "true or false"].map((kind) => `The body must be an object, not ${kind}.`),
  );
});

test("the error for a body where none is accepted names the path of the request", async () => {
  const path = "/v1/conversations/chat_unknown/stop";
  const { error } = (await (await stack.call("POST", path, { body: { a: 1 } })).json()) as ErrorEnvelope;
  expect(error.message).toBe(`POST ${path} does not accept a body. Leave it out, or send {}.`);
});

describe("a body may be left out", () => {
  const rotate = "/v1/keys/:id/rotate";
  const stop = "/v1/conversations/:id/stop";
  test.each([
    ["where every field is optional", "POST", rotate, "", 201],
    ["where every field is optional, as {}", "POST", rotate, "{}", 201],
    ["where every field is optional, without a content type", "POST", rotate, undefined, 201],
    ["for a conversation", "POST", "/v1/conversations", "", 201],
    ["where there is none", "POST", stop, undefined, 200],
    ["where there is none, as {}", "POST", stop, "{}", 200],
    ["where there is none, as an empty text", "POST", stop, "", 200],
  ] as const)("%s", async (_, method, path, body, status) => {
    expect((await stack.call(method, urlOf(path), { body })).status).toBe(status);
  });

  test.each(["/v1/keys", "/v1/chat", "/v1/embeddings", "/v1/cache/invalidate", "/v1/datasets"])(
    "but not for %s",
    async (path) => {
      const response = await stack.call("POST", path, { body: "" });
      const { error } = (await response.json()) as ErrorEnvelope;
      expect([response.status, error.message]).toEqual([400, "The body is empty. Send a JSON object."]);
    },
  );
});

test("a repeated query parameter is rejected, and the error names it", async () => {
  for (const path of ["/v1/keys?limit=1&limit=2", "/v1/evals?state=failed&limit=5&state=running"]) {
    const { error } = (await (await stack.call("GET", path)).json()) as ErrorEnvelope;
    expect(error.message).toEndWith("is sent more than once. Send it once.");
  }
});

const FILE = '--b\r\ncontent-disposition: form-data; name="files"; filename="a.txt"\r\n\r\nx\r\n';

test.each([
  ["complete", 404, `${FILE}${FILE}--b--\r\n`],
  ["cut off", 400, FILE.slice(0, 20)],
])("a form that is %s gets %i from a route that accepts forms, and is not read as JSON", async (_, status, body) => {
  const headers = { "content-type": "multipart/form-data; boundary=b" };
  const response = await stack.call("POST", "/v1/rag/indexes/idx_1/documents", { body, headers });
  const { error } = (await response.json()) as ErrorEnvelope;
  expect([response.status, error.message.includes("JSON")]).toEqual([status, false]);
});
