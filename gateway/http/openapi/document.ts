import { toOpenAPISchema } from "@elysiajs/openapi";
import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { AnyElysia } from "elysia";
import { version } from "../../../package.json";
import { ErrorEnvelope } from "../../contract";
import { notImplementedRoutes } from "../not-implemented";
import type { ErrorFormat, RouteFacts, RouteRole } from "../route-facts";
import { errorResponse, errorResponses, HEADERS, headerRefs, PARAMETERS, RATE_LIMIT_HEADERS, TAGS } from "./common";
import { Components, exampleOf, isObject, type JsonSchema } from "./schemas";

interface Route {
  method: string;
  path: string;
  hooks: {
    body?: JsonSchema;
    params?: JsonSchema;
    query?: JsonSchema;
    response?: Record<string, JsonSchema>;
    detail?: RouteFacts & { operationId?: string; summary?: string; description?: string; tags?: string[] };
  };
}

/** Routes whose responses report retries and fallback models. */
const HAS_ATTEMPTS = new Set(["/v1/chat", "/v1/chat/completions", "/v1/completions", "/v1/messages", "/v1/responses"]);

const DESCRIPTION = `Your own LLM platform: chat, embeddings, answers from documents, and evaluation.

The official OpenAI SDKs work unchanged with \`/v1/chat/completions\`, \`/v1/completions\`, \`/v1/responses\`, \`/v1/embeddings\`, \`/v1/models\`, \`/v1/files\` and \`/v1/batches\`.
Every error is an \`ErrorEnvelope\`, except on \`/mcp\` and \`/v1/messages\`. Every list is a page with \`limit\` and \`after\`. Every response has an \`x-request-id\`. A method that is not listed for a path returns 405 with an \`allow\` header.`;

/**
 * The OpenAPI 3.1 document of a running app. The plugin lists the operations, and this file writes their content,
 * because the plugin (1.4.16) inlines nested schemas and turns a nullable enum into one that rejects null. Pages and
 * their files have no summary and are omitted.
 */
export const openApiDocument = (app: AnyElysia, publicUrl?: string): JsonSchema => {
  const components = new Components();
  const template = (path: string) => path.replace(/:([^/]+)/g, "{$1}");
  const routes = new Map<string, Route>(app.routes.map((route) => [`${route.method} ${template(route.path)}`, route]));
  const paths: Record<string, JsonSchema> = {};
  for (const [path, operations] of Object.entries(toOpenAPISchema(app, { staticFile: false }).paths)) {
    for (const method of Object.keys(operations ?? {})) {
      const route = routes.get(`${method.toUpperCase()} ${path}`);
      if (route?.hooks.detail?.summary) paths[path] = { ...paths[path], [method]: operationOf(route, components) };
    }
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Groundwire",
      version,
      description: DESCRIPTION,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    // Without the setting, it is the address that the document was requested from.
    servers: [{ url: publicUrl ?? "/" }],
    tags: TAGS,
    paths,
    components: {
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "A key, such as gw_…" },
        apiKeyHeader: {
          type: "apiKey",
          in: "header",
          name: "x-api-key",
          description: "The same key, used if `authorization` has no Bearer token",
        },
      },
      parameters: PARAMETERS,
      headers: HEADERS,
      responses: errorResponses(components),
      schemas: components.schemas,
    },
  };
};

const DESCRIPTIONS: Record<string, string> = {
  200: "Done",
  201: "Created",
  202: "Accepted: a background job does the work",
  204: "Done",
  304: "Not changed",
  406: "The `accept` header excludes the media types of the response",
  503: "Not ready",
};

const isFile = (schema: unknown): boolean =>
  isObject(schema) && (schema.format === "binary" || (isObject(schema.items) && schema.items.format === "binary"));
const isForm = (schema: JsonSchema): boolean =>
  isObject(schema.properties) && Object.values(schema.properties).some(isFile);

const schemaOf = (mediaType: string): JsonSchema => {
  if (mediaType === "application/json") return { type: "object" };
  return /^text\/|json|xml/.test(mediaType) ? { type: "string" } : { type: "string", format: "binary" };
};

const operationOf = (route: Route, components: Components): JsonSchema => {
  const { hooks, method, path } = route;
  const { operationId, summary, description, tags, ...facts } = hooks.detail ?? {};
  const role = facts["x-role"] ?? "admin";
  const isForAll = role === "open" || role === "public";
  const isImplemented = !notImplementedRoutes.has(`${method} ${path}`);
  const roleText = isForAll || role === "any" ? undefined : `Role: ${role}.`;
  const unbuilt = isImplemented ? undefined : "Not implemented in this version.";
  return {
    operationId: operationId ?? operationIdOf(method, path),
    tags,
    summary,
    description: [description, roleText, unbuilt].filter(Boolean).join(" ") || undefined,
    security: isForAll ? [] : [{ apiKey: [] }, { apiKeyHeader: [] }],
    parameters: parametersOf(hooks, facts, components),
    requestBody: bodyOf(bodiesOf(hooks, facts), components),
    responses: {
      ...errorsOf(route, facts, role, isImplemented, components),
      ...answersOf(route, facts, isForAll, components),
    },
  };
};

const parametersOf = ({ params, query }: Route["hooks"], facts: RouteFacts, components: Components): JsonSchema[] => {
  const list = (where: "path" | "query", schema: JsonSchema | undefined) =>
    Object.entries(isObject(schema?.properties) ? schema.properties : {}).map(([name, property]) => {
      const { description, ...rest } = components.add(property);
      const isRequired = where === "path" || (Array.isArray(schema?.required) && schema.required.includes(name));
      // A made-up value for an optional parameter, such as a cursor, would be rejected.
      const hasExample = isRequired || (isObject(property) && ("examples" in property || "default" in property));
      const example = hasExample ? exampleOf(property) : undefined;
      return { name, in: where, required: isRequired, description, schema: rest, example };
    });
  const shared = facts["x-idempotent"] ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : [];
  return [...list("path", params), ...list("query", query), ...shared];
};

const jsonOf = (schema: JsonSchema, components: Components): JsonSchema => ({
  schema: components.add(schema),
  example: exampleOf(schema),
});

/** A request body: JSON, or a form if it has a file. It may be omitted if every field is optional. */
const bodyOf = (variants: readonly JsonSchema[], components: Components): JsonSchema | undefined => {
  if (variants.length === 0) return undefined;
  const content = variants.map((variant) =>
    isForm(variant)
      ? ["multipart/form-data", { schema: components.add(variant) }]
      : ["application/json", jsonOf(variant, components)],
  );
  return {
    required: !variants.every((variant) => Value.Check(variant as TSchema, {})),
    content: Object.fromEntries(content),
  };
};

/** The responses that a route declares: successful ones, and errors with their own schema, such as those of `/readyz`. */
const answersOf = (
  { hooks, method, path }: Route,
  facts: RouteFacts,
  isForAll: boolean,
  components: Components,
): JsonSchema => {
  const { "x-events": events, "x-error-format": format } = facts;
  const headers = headerRefs(
    "x-request-id",
    "x-degraded",
    ...(isForAll ? [] : RATE_LIMIT_HEADERS),
    ...(events && method === "POST" ? ["cache-status", "age", "server-timing"] : []),
    ...(HAS_ATTEMPTS.has(path) ? ["x-retries", "x-fallback-from"] : []),
    ...Object.keys(format?.headers?.("") ?? {}),
  );
  const answers: Record<string, JsonSchema> = {};
  for (const [status, schema] of Object.entries(hooks.response ?? {})) {
    if (schema.title === ErrorEnvelope.title) continue;
    const content = schema.type === "void" ? undefined : { "application/json": jsonOf(schema, components) };
    answers[status] = { description: DESCRIPTIONS[status], headers, content };
  }
  const others = (facts["x-media-types"] ?? []).map((type): [string, JsonSchema] => [type, { schema: schemaOf(type) }]);
  if (events) others.push(["text/event-stream", { schema: eventOf(events, format, components) }]);
  if (others.length > 0) {
    const { content, ...ok } = answers[200] ?? { description: DESCRIPTIONS[200], headers };
    answers[200] = { ...ok, content: { ...(content as JsonSchema | undefined), ...Object.fromEntries(others) } };
  }
  // A DELETE that declares no response returns no content.
  const isSilent = method === "DELETE" && Object.keys(answers).length === 0;
  return isSilent ? { 204: { description: DESCRIPTIONS[204], headers } } : answers;
};

/**
 * The schema of one server-sent event. OpenAPI 3.1 tools read it as the schema of the stream. Events in our own format
 * have no names and end with `[DONE]`.
 */
const eventOf = (data: unknown, format: ErrorFormat | undefined, components: Components): JsonSchema => {
  const json = { anyOf: [components.add(data), components.add(format?.schema ?? ErrorEnvelope)] };
  const inData = { type: "string", contentMediaType: "application/json", contentSchema: json };
  const isNamed = format !== undefined;
  return {
    type: "object",
    required: isNamed ? ["event", "data"] : ["data"],
    properties: {
      ...(isNamed && { event: { type: "string" } }),
      data: { anyOf: isNamed ? [inData] : [inData, { type: "string", const: "[DONE]" }] },
    },
  };
};

/** The bodies that a route accepts: the one that Elysia reads, or those that the route reads itself. */
const bodiesOf = ({ body }: Route["hooks"], facts: RouteFacts): JsonSchema[] => {
  if (facts["x-bodies"]) return [...facts["x-bodies"]] as JsonSchema[];
  if (!body) return [];
  const isNamed = typeof body.title === "string";
  return Array.isArray(body.anyOf) && !isNamed ? body.anyOf.filter(isObject) : [body];
};

/**
 * Error statuses derived from the route, and those that it declares. Any request may be malformed (400). Any write may
 * have an invalid body (413, 415), conflict with another change (409) or hit a full disk (507).
 */
const errorsOf = (
  { method, path }: Route,
  facts: RouteFacts,
  role: RouteRole,
  isImplemented: boolean,
  components: Components,
): JsonSchema => {
  const isForAll = role === "open" || role === "public";
  const statuses = new Set<number>([400, 500, ...(facts["x-errors"] ?? [])]);
  if (!isForAll) for (const status of [401, 402, 429, 503]) statuses.add(status);
  if (!isForAll && role !== "any") statuses.add(403);
  if (method !== "GET") for (const status of [413, 415, 507]) statuses.add(status);
  if (path.includes(":")) statuses.add(404);
  if (path.includes(":") && method !== "GET") statuses.add(409);
  if (facts["x-idempotent"]) for (const status of [409, 422]) statuses.add(status);
  if (facts["x-generates"]) for (const status of [404, 502, 504]) statuses.add(status);
  if (!isImplemented) statuses.add(501);
  const format = facts["x-error-format"];
  const responseOf = (status: number): JsonSchema =>
    format ? errorResponse(status, format, components) : { $ref: `#/components/responses/Error${status}` };
  return Object.fromEntries([...statuses].sort((a, b) => a - b).map((status) => [status, responseOf(status)]));
};

/** The operation id of a route: `getKeysById` for `GET /v1/keys/:id`. */
const operationIdOf = (method: string, path: string): string =>
  method.toLowerCase() +
  path
    .replace(/^\/v1/, "")
    .split(/[/._-]/)
    .map((word) => (word.startsWith(":") ? `By${capital(word.slice(1))}` : capital(word)))
    .join("");

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
