import { toOpenAPISchema } from "@elysiajs/openapi";
import type { AnyElysia } from "elysia";
import { version } from "../../../package.json";
import { notImplementedRoutes } from "../not-implemented";
import { errorResponses, HEADERS, PARAMETERS, TAGS } from "./common";
import { OperationWriter, type Route } from "./operation";
import { Components, type JsonSchema } from "./schemas";

const DESCRIPTION = `Your own LLM platform: chat, embeddings, answers from documents, evaluation.

The routes \`/v1/chat/completions\`, \`/v1/completions\`, \`/v1/embeddings\` and \`/v1/models\` take the official OpenAI SDKs unchanged.
Every error is an \`ErrorEnvelope\`; every list is a page with \`limit\` and \`after\`; every answer has an \`x-request-id\`. A path with another method than those listed is a 405 with \`allow\`.`;

/**
 * The OpenAPI 3.1 document of a running app. The plugin lists the operations; their content is written here, because
 * the plugin (1.4.16) inlines nested schemas and turns a nullable enum into one that rejects null.
 */
export const openApiDocument = (app: AnyElysia, publicUrl?: string): JsonSchema => {
  const components = new Components();
  const writer = new OperationWriter(components);
  const routes = new Map<string, Route>(app.routes.map((route) => [`${route.method} ${template(route.path)}`, route]));
  const paths: Record<string, JsonSchema> = {};

  for (const [path, operations] of Object.entries(toOpenAPISchema(app, { staticFile: false }).paths)) {
    for (const method of Object.keys(operations ?? {})) {
      const route = routes.get(`${method.toUpperCase()} ${path}`);
      // Pages and their files have no summary and are not in the document.
      if (!route?.hooks.detail?.summary) continue;
      const isImplemented = !notImplementedRoutes.has(`${route.method} ${route.path}`);
      paths[path] = { ...paths[path], [method]: writer.write(route, isImplemented) };
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
    // Without a setting, the address that the document came from.
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

const template = (path: string): string => path.replace(/:([^/]+)/g, "{$1}");
