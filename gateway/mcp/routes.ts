import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { Config } from "../../lib/config";
import { toAppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { auth } from "../http/auth";
import { ownBody } from "../http/body";
import { reducibleCallOf } from "../http/call";
import { createCors } from "../http/cors";
import type { Exchange } from "../http/exchange";
import { allows, downloads, errorsAs, generates, reads } from "../http/route-facts";
import { sseResponse } from "../http/sse";
import { withoutNulEscapes } from "../validation/json";
import { McpError, McpMessage, McpResponse } from "./contract";
import { jsonRpcErrors } from "./errors";
import { readMessage } from "./message";
import { refuseForeignOrigin } from "./origin";
import { createMcpServer } from "./server";
import type { Mcp } from "./service";

interface Services {
  config: Config;
  log: Log;
  mcp: Mcp;
}

/** `POST /mcp`: the Model Context Protocol over streamable HTTP. */
export const mcpRoutes = (services: Services) => {
  const server = createMcpServer(services);
  const { corsOrigins, publicUrl } = services.config.gateway;
  const cors = createCors(corsOrigins);
  const rules = { isListed: (origin: string) => cors?.headersFor(origin) !== undefined, publicUrl };

  return new Elysia({ name: "mcp.routes", tags: ["MCP"] }).use(auth).post(
    "/mcp",
    async ({ principal, exchange, request }): Promise<Response> => {
      const { url, headers } = request;
      refuseForeignOrigin(headers.get("origin"), url, rules);
      const text = withoutNulEscapes(await ownBody(exchange).text());
      exchange.bodies?.asked(text);
      const { response, failure } = await server.answer({
        ...{ message: readMessage(text), url, headers },
        call: reducibleCallOf(exchange, principal),
        errorOf: (thrown) => exchange.endedBy ?? toAppError(thrown),
      });
      const type = response.headers.get("content-type");
      if (response.body && type?.startsWith("text/event-stream")) {
        return sseResponse(exchange, { headers: {}, pieces: response.body, failure });
      }
      return respond(exchange, response.status, await response.text(), type);
    },
    {
      response: { 200: McpResponse, 202: Type.Void(), 406: McpError },
      detail: {
        ...allows("member"),
        ...generates,
        ...reads(McpMessage),
        ...downloads("text/event-stream"),
        ...errorsAs(jsonRpcErrors),
        summary: "Model Context Protocol: list, search and ask indexes",
        description:
          "Streamable HTTP for protocol revisions 2026-07-28 and 2025-11-25, and for earlier ones without batches. There are no sessions. A failed tool call returns a result with `isError`.",
      },
    },
  );
};

const respond = (exchange: Exchange, status: number, body: string, type: string | null): Response => {
  exchange.isAnswered = true;
  exchange.bodies?.answered(body);
  exchange.finish(status);
  const headers = exchange.withHeaders(type === null ? {} : { "content-type": type });
  return new Response(body === "" ? null : body, { status, headers });
};
