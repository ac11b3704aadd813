import { afterAll, beforeAll, expect, test } from "bun:test";
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { createApp } from "../../gateway/app";
import { type ApiDocument, renderReference } from "../../gateway/cli/api-reference/render";
import { notImplementedRoutes } from "../../gateway/http/not-implemented";
import { API_ROUTES } from "./api-routes";
import { type Stack, startStack } from "./stack";

interface Operation {
  operationId: string;
  summary?: string;
  tags?: string[];
  security?: object[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { content?: Record<string, Media>; $ref?: string }>;
}
interface Media {
  schema?: { $ref?: string; title?: string };
  example?: unknown;
}
interface Document {
  openapi: string;
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { properties?: Record<string, unknown> }> };
}

let stack: Stack;
let text: string;
let document: Document;

beforeAll(async () => {
  stack = await startStack();
  text = await (await stack.call("GET", "/openapi.json", { key: null })).text();
  document = JSON.parse(text);
});
afterAll(() => stack.close());

/** `POST /v1/keys/:id/rotate` of every operation in the document. */
const documented = (): string[] =>
  Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`),
  );
const operations = (): [string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  );

test("the document has exactly the API routes of the running app", () => {
  expect(documented().sort()).toEqual(API_ROUTES.map(({ route }) => route).sort());
});

test("the document does not depend on what was requested before", async () => {
  const body = { messages: [{ role: "user", content: "Hi" }], prompt: "Hi", input: "Hi" };
  for (const path of ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/tokenize"]) {
    await stack.call("POST", path, { body });
  }
  for (const path of ["/v1/keys", "/v1/models", "/v1/metrics", "/readyz"]) await stack.call("GET", path);
  const app = createApp(stack.gateway.services);
  expect(await (await app.handle(new Request("http://localhost/openapi.json"))).text()).toBe(text);
});

test("docs/api-reference.md is current; bun run api-reference writes it", async () => {
  const page = await Bun.file(new URL("../../docs/api-reference.md", import.meta.url)).text();
  // Not toBe with two texts: printing the difference of texts as long as these would take minutes.
  expect(page === renderReference(document as unknown as ApiDocument)).toBe(true);
});

test("the document is valid OpenAPI 3.1 and every example matches its schema", async () => {
  const config = await createConfig({
    rules: {
      struct: "error",
      "no-unresolved-refs": "error",
      "no-unused-components": "error",
      "no-invalid-schema-examples": "error",
      "no-invalid-media-type-examples": "error",
      "no-invalid-parameter-examples": "error",
      "operation-operationId-unique": "error",
      "operation-operationId-url-safe": "error",
      "path-parameters-defined": "error",
      "security-defined": "error",
      "spec-components-invalid-map-name": "error",
    },
  });
  expect(document.openapi).toStartWith("3.1.");
  const problems = await lintFromString({ source: text, absoluteRef: "openapi.json", config });
  expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual([]);
  // The linter alone takes 2 s on an idle core.
}, 120_000);

test("a record is an object with additionalProperties, which client generators understand", () => {
  expect(text).not.toContain("patternProperties");
  expect(document.components.schemas.Prompt?.properties?.labels).toEqual({
    type: "object",
    description: "Version by label",
    additionalProperties: { type: "integer", minimum: 1 },
  });
});

test("every operation has a summary, its role and its errors", () => {
  const tags = new Set(document.tags.map(({ name }) => name));
  for (const [name, operation] of operations()) {
    expect([name, operation.summary, operation.tags?.every((tag) => tags.has(tag)), operation.security]).toEqual([
      name,
      expect.any(String),
      true,
      expect.any(Array),
    ]);
    const statuses = Object.keys(operation.responses);
    expect([name, statuses.some((status) => status.startsWith("2"))]).toEqual([name, true]);
    expect([name, statuses]).toEqual([name, expect.arrayContaining(statusesOf(name, operation))]);
  }
});

/** The statuses that an operation must document because of its route. */
const statusesOf = (name: string, { security }: Operation): string[] => {
  const statuses = ["400", "500"];
  if (security?.length) statuses.push("401", "429", "503");
  if (name.includes("{")) statuses.push("404");
  if (!name.startsWith("GET ")) statuses.push("413", "415");
  if (notImplementedRoutes.has(name.replace(/\{(\w+)\}/g, ":$1"))) statuses.push("501");
  return statuses;
};

test("every JSON body and response has an example and a named schema", () => {
  for (const [name, { requestBody, responses }] of operations()) {
    const bodies = [
      requestBody?.content["application/json"],
      ...Object.values(responses).map((one) => one.content?.["application/json"]),
    ];
    for (const media of bodies.filter((one) => one?.schema && name !== "GET /openapi.json")) {
      expect([name, media?.schema?.$ref, media?.example]).toEqual([
        name,
        expect.stringContaining("#/components/"),
        expect.anything(),
      ]);
    }
  }
});

test("the document has an ETag, so that clients download it once", async () => {
  const first = await stack.call("GET", "/openapi.json", { key: null });
  const again = await stack.call("GET", "/openapi.json", {
    key: null,
    headers: { "if-none-match": first.headers.get("etag") ?? "" },
  });
  expect([first.status, again.status, await again.text()]).toEqual([200, 304, ""]);
});

test("the routes that are not implemented are printed", () => {
  console.log(`not implemented yet: ${notImplementedRoutes.size} routes\n  ${[...notImplementedRoutes].join("\n  ")}`);
  expect(documented()).toEqual(expect.arrayContaining([...notImplementedRoutes]));
});
