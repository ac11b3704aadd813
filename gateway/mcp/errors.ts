import { type AppError, toEnvelope, withoutRoutes } from "../../lib/errors";
import { McpError } from "./contract";

const INVALID_REQUEST = -32600;
const INTERNAL_ERROR = -32603;
/** The first of JSON-RPC's codes for errors that servers define. `data.code` says what happened. */
const SERVER_ERROR = -32000;

const codeOf = ({ status }: AppError): number => {
  if (status === 400) return INVALID_REQUEST;
  return status === 500 ? INTERNAL_ERROR : SERVER_ERROR;
};

/**
 * Formats the errors of the gateway's hooks as JSON-RPC errors. `id` is null, because most of them occur before the
 * body has been read.
 */
export const jsonRpcErrors = {
  schema: McpError,
  body: (error: AppError, requestId: string) => ({
    jsonrpc: "2.0",
    id: null,
    error: { code: codeOf(error), message: error.message, data: toEnvelope(error, requestId).error },
  }),
};

/** What the model should do after a tool has failed. */
const adviceOn = ({ kind, message, detail: { param, retryAfterMs } }: AppError): string => {
  if (kind === "not_found" && param === "index") return " Call list_indexes to see the indexes that you can use.";
  if (retryAfterMs === undefined || /\btry again\b/i.test(message)) return "";
  return ` Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
};

/** The result of a failed tool call. Models read its text; programs read `_meta`. */
export const toolError = (error: AppError, requestId: string) => ({
  isError: true,
  content: [{ type: "text" as const, text: withoutRoutes(error.message) + adviceOn(error) }],
  _meta: { "groundwire/error": toEnvelope(error, requestId).error },
});
