import type { ServerContext } from "@modelcontextprotocol/server";
import type { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { version } from "../../package.json";
import type { Call } from "../call";
import type { McpMessage } from "./contract";
import { toolError } from "./errors";
import type { Mcp, ReportProgress } from "./service";

/** Importing the SDK takes 80 to 190 ms and 26 MB, so it is imported when the first message arrives. */
const loadSdk = () => import("@modelcontextprotocol/server");

const INFO = { name: "groundwire", title: "Groundwire", version };
const INSTRUCTIONS =
  "Searches document indexes. Call list_indexes to find the right index, then search_index to read the best passages, or ask_index for an answer with citations.";
const ANY_TYPE = "application/json, text/event-stream";

interface Message {
  message: McpMessage;
  url: string;
  headers: Headers;
  call: Call;
  /** Converts a value that a tool threw. */
  errorOf(thrown: unknown): AppError;
}

interface Answer {
  /** JSON, Server-Sent Events, or nothing for a notification. */
  response: Response;
  /** The tool's error; undefined if it hasn't failed. */
  failure(): AppError | undefined;
}

/**
 * Supports the SDK's protocol revisions: 2026-07-28, which is stateless, and 2025-11-25 and earlier, without sessions.
 * Each message gets its own server, so nothing is kept between messages.
 */
export const createMcpServer = ({ mcp, log }: { mcp: Mcp; log: Pick<Log, "error"> }) => {
  const answer = async ({ message, url, headers, call, errorOf }: Message): Promise<Answer> => {
    const { createMcpHandler, ProtocolError, ProtocolErrorCode, Server } = await loadSdk();
    const { requestId } = call;
    let failure: AppError | undefined;
    /** The last error that the SDK reported. */
    let reported: Error | undefined;

    const runTool = async (name: string, input: unknown, context: ServerContext) => {
      if (!mcp.names().includes(name)) {
        const tools = mcp.names().join(", ");
        throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool "${name}". Available tools: ${tools}.`);
      }
      // The SDK's signal is aborted when the client stops reading the response.
      const signal = AbortSignal.any([call.signal, context.mcpReq.signal]);
      try {
        const result = { ...(await mcp.run({ ...call, signal }, name, input, reporterOf(context))) };
        return { content: [{ type: "text" as const, text: JSON.stringify(result) }], structuredContent: result };
      } catch (thrown) {
        failure = errorOf(thrown);
        if (failure.kind === "internal") log.error({ requestId, tool: name, err: failure.cause }, "internal error");
        return toolError(failure, requestId);
      }
    };

    const createServer = () => {
      const server = new Server(INFO, { capabilities: { tools: {} }, instructions: INSTRUCTIONS });
      server.setRequestHandler("tools/list", () => ({ tools: mcp.list() }));
      server.setRequestHandler("tools/call", ({ params }, context) => runTool(params.name, params.arguments, context));
      return server;
    };
    const { fetch } = createMcpHandler(createServer, {
      // Comments keep the connection of a slow tool open.
      responseMode: message.method === "tools/call" ? "sse" : "auto",
      // `http/sse.ts` sends the comments.
      keepAliveMs: 0,
      onerror: (error) => {
        reported = error;
      },
    });
    const request = new Request(url, { method: "POST", headers: acceptingAll(headers) });
    const response = await fetch(request, { parsedBody: message });
    // Other errors are not logged, because their messages can contain the client's text.
    if (response.status === 500) log.error({ requestId, err: reported }, "internal error");
    return { response, failure: () => failure };
  };
  return { answer };
};

/** A client that doesn't say what it accepts, such as curl, gets whatever the revision returns. */
const acceptingAll = (headers: Headers): Headers => {
  const accept = headers.get("accept");
  if (accept !== null && accept !== "*/*") return headers;
  const extended = new Headers(headers);
  extended.set("accept", ANY_TYPE);
  return extended;
};

/** Returns a function that reports progress; undefined if the client didn't ask for it. */
const reporterOf = ({ mcpReq }: ServerContext): ReportProgress | undefined => {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress, message) => {
    const params = { progressToken, progress, message };
    // Ignored: a client that has disconnected needs no progress.
    mcpReq.notify({ method: "notifications/progress", params }).catch(() => undefined);
  };
};
