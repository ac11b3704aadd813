import type { TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { ErrorEnvelope } from "../../contract";
import type { RouteFacts, RouteRole } from "../route-facts";
import { headerRefs, RATE_LIMIT_HEADERS } from "./common";
import { type Components, exampleOf, isObject, type JsonSchema } from "./schemas";

/** A route as Elysia lists it, with its `detail`. */
export interface Route {
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

const DESCRIPTIONS: Record<string, string> = {
  200: "Done",
  201: "Created",
  202: "Accepted: a background job does the work",
  204: "Done",
  304: "Not changed",
  503: "Not ready",
};

/** Whether the route works without a key. */
const isForAll = (role: RouteRole): boolean => role === "open" || role === "public";

const isFile = (schema: unknown): boolean =>
  isObject(schema) && (schema.format === "binary" || (isObject(schema.items) && schema.items.format === "binary"));
const isForm = (schema: JsonSchema): boolean =>
  isObject(schema.properties) && Object.values(schema.properties).some(isFile);

/** Schema of a response of this media type: a JSON object, text, or bytes. */
const schemaOf = (mediaType: string): JsonSchema => {
  if (mediaType === "application/json") return { type: "object" };
  return /^text\/|json|xml/.test(mediaType) ? { type: "string" } : { type: "string", format: "binary" };
};

/** One operation of the document. */
export class OperationWriter {
  constructor(private readonly components: Components) {}

  write(route: Route, isImplemented: boolean): JsonSchema {
    const { hooks, method, path } = route;
    const { summary, description, tags, ...docs } = hooks.detail ?? {};
    const role = docs["x-role"] ?? "admin";
    const roleText = isForAll(role) || role === "any" ? undefined : `Role: ${role}.`;
    const unbuilt = isImplemented ? undefined : "Not in this version yet.";
    return {
      operationId: hooks.detail?.operationId ?? operationId(method, path),
      tags,
      summary,
      description: [description, roleText, unbuilt].filter(Boolean).join(" ") || undefined,
      security: isForAll(role) ? [] : [{ apiKey: [] }, { apiKeyHeader: [] }],
      parameters: this.#parameters(hooks, docs),
      requestBody: this.#body(bodiesOf(hooks, docs)),
      responses: { ...errors(route, docs, role, isImplemented), ...this.#answers(route, docs, role) },
    };
  }

  #parameters({ params, query }: Route["hooks"], docs: RouteFacts): JsonSchema[] {
    const list = (where: "path" | "query", schema: JsonSchema | undefined) =>
      Object.entries(isObject(schema?.properties) ? schema.properties : {}).map(([name, property]) => {
        const { description, ...rest } = this.components.add(property);
        const isRequired = where === "path" || (Array.isArray(schema?.required) && schema.required.includes(name));
        // A made-up value for an optional parameter, such as a cursor, would be rejected.
        const hasExample = isRequired || (isObject(property) && ("examples" in property || "default" in property));
        const example = hasExample ? exampleOf(property) : undefined;
        return { name, in: where, required: isRequired, description, schema: rest, example };
      });
    const shared = docs["x-idempotent"] ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : [];
    return [...list("path", params), ...list("query", query), ...shared];
  }

  /** A body is JSON, or a form if it has a file. */
  #body(variants: readonly JsonSchema[]): JsonSchema | undefined {
    if (variants.length === 0) return undefined;
    const content = variants.map((variant) =>
      isForm(variant)
        ? ["multipart/form-data", { schema: this.components.add(variant) }]
        : ["application/json", this.#json(variant)],
    );
    // If every field is optional, the body may be left out.
    return {
      required: !variants.every((variant) => Value.Check(variant as TSchema, {})),
      content: Object.fromEntries(content),
    };
  }

  #json(schema: JsonSchema): JsonSchema {
    return { schema: this.components.add(schema), example: exampleOf(schema) };
  }

  /** The responses that a route declares: successes, and errors with their own schema, such as those of `/readyz`. */
  #answers({ hooks, method, path }: Route, docs: RouteFacts, role: RouteRole): JsonSchema {
    const headers = headerRefs(
      "x-request-id",
      "x-degraded",
      ...(isForAll(role) ? [] : RATE_LIMIT_HEADERS),
      ...(docs["x-events"] && method === "POST" ? ["cache-status", "age", "server-timing"] : []),
      ...(path.endsWith("/completions") ? ["x-retries"] : []),
    );
    const answers: JsonSchema = {};
    for (const [status, schema] of Object.entries(hooks.response ?? {})) {
      if (schema.title === ErrorEnvelope.title) continue;
      const content = schema.type === "void" ? undefined : { "application/json": this.#json(schema) };
      answers[status] = { description: DESCRIPTIONS[status], headers, content };
    }
    const others = this.#otherMedia(docs);
    if (Object.keys(others).length > 0) {
      const ok = isObject(answers[200]) ? answers[200] : { description: DESCRIPTIONS[200], headers };
      answers[200] = { ...ok, content: { ...(isObject(ok.content) ? ok.content : {}), ...others } };
    }
    // A DELETE that declares no response returns no content.
    const isSilent = method === "DELETE" && Object.keys(answers).length === 0;
    if (isSilent) answers[204] = { description: DESCRIPTIONS[204], headers };
    return answers;
  }

  /** Schema of one server-sent event; OpenAPI 3.1 tools read it as the schema of the stream. */
  #event(data: unknown): JsonSchema {
    const json = { anyOf: [this.components.add(data), this.components.add(ErrorEnvelope)] };
    const inData = { type: "string", contentMediaType: "application/json", contentSchema: json };
    return {
      type: "object",
      required: ["data"],
      properties: { data: { anyOf: [inData, { type: "string", const: "[DONE]" }] } },
    };
  }

  #otherMedia(docs: RouteFacts): JsonSchema {
    const content: JsonSchema = {};
    const events = docs["x-events"];
    if (events) {
      content["text/event-stream"] = { schema: this.#event(events) };
    }
    for (const mediaType of docs["x-media-types"] ?? []) {
      content[mediaType] = { schema: schemaOf(mediaType) };
    }
    return content;
  }
}

/** The bodies that a route accepts: the one that Elysia reads for it, or those that it reads itself. */
const bodiesOf = ({ body }: Route["hooks"], docs: RouteFacts): JsonSchema[] => {
  if (docs["x-bodies"]) return docs["x-bodies"].map((schema) => schema as JsonSchema);
  if (!body) return [];
  const isNamed = typeof body.title === "string";
  return Array.isArray(body.anyOf) && !isNamed ? body.anyOf.filter(isObject) : [body];
};

/**
 * Error statuses derived from the route, and those that it declares. Every request may be malformed (400). Every write may
 * have a bad body (413, 415), conflict with another change (409) or hit a full disk (507).
 */
const errors = ({ method, path }: Route, docs: RouteFacts, role: RouteRole, isImplemented: boolean): JsonSchema => {
  const statuses = new Set<number>([400, 500, ...(docs["x-errors"] ?? [])]);
  if (!isForAll(role)) for (const status of [401, 429, 503]) statuses.add(status);
  if (!isForAll(role) && role !== "any") statuses.add(403);
  if (method !== "GET") for (const status of [413, 415, 507]) statuses.add(status);
  if (path.includes(":")) statuses.add(404);
  if (path.includes(":") && method !== "GET") statuses.add(409);
  if (docs["x-idempotent"]) for (const status of [409, 422]) statuses.add(status);
  if (docs["x-generates"]) for (const status of [402, 404, 502, 504]) statuses.add(status);
  if (!isImplemented) statuses.add(501);
  return Object.fromEntries(
    [...statuses].sort((a, b) => a - b).map((status) => [status, { $ref: `#/components/responses/Error${status}` }]),
  );
};

/** `GET /v1/keys/:id` → `getKeysById`. */
const operationId = (method: string, path: string): string =>
  method.toLowerCase() +
  path
    .replace(/^\/v1/, "")
    .split(/[/._-]/)
    .map((word) => (word.startsWith(":") ? `By${capital(word.slice(1))}` : capital(word)))
    .join("");

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
