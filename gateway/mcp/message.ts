import { Value } from "@sinclair/typebox/value";
import { AppError } from "../../lib/errors";
import { parseJson } from "../validation/json";
import { invalidRequest } from "../validation/problems";
import { McpMessage } from "./contract";

/**
 * Parses the body of `POST /mcp`. Throws invalid_request for anything but one request or notification: a batch of
 * many calls would count as one request against the key's limits.
 */
export const readMessage = (text: string): McpMessage => {
  if (text === "") throw new AppError("invalid_request", "The body is empty. Send a JSON-RPC message.");
  const message = parseJson(text, McpMessage);
  if (Array.isArray(message)) {
    throw new AppError("invalid_request", "Batches are not supported. Send each message in its own request.");
  }
  if (typeof message !== "object" || message === null) {
    throw new AppError("invalid_request", "The body must be a JSON object: one JSON-RPC message.");
  }
  if (!Value.Check(McpMessage, message)) throw invalidRequest(Value.Errors(McpMessage, message), "field");
  return message;
};
