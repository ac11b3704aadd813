import { REQUEST_HEADERS } from "../../../gpu-node/protocol";
import type { EngineRequest } from "../../ports/engine";
import type { EngineNode } from "./node";

/**
 * The headers of a generation. `deadlineMs`: the remaining time; `queueMs`: how long it may wait for a slot. What the
 * node does anyway is not sent, because every header costs time on both sides.
 */
export const requestHeaders = (
  node: EngineNode,
  request: Omit<EngineRequest, "body" | "stream" | "signal" | "deadlineMs">,
  { deadlineMs, queueMs }: { deadlineMs: number; queueMs: number },
): Record<string, string> => {
  const defaults = node.readiness?.timeouts;
  const headers = node.headers(request.route, "POST");
  headers["content-type"] = "application/json";
  headers[REQUEST_HEADERS.requestId] = request.requestId;
  if (request.priority === "batch") headers[REQUEST_HEADERS.priority] = request.priority;
  // The gateway itself resets the stream at the deadline. Only a caller's own one is also for the node's queue.
  if (request.hasOwnDeadline || !defaults || defaults.total_ms < deadlineMs) {
    headers[REQUEST_HEADERS.deadlineMs] = String(Math.round(deadlineMs));
  }
  if (defaults?.queue_ms !== queueMs) headers[REQUEST_HEADERS.queueTimeoutMs] = String(queueMs);
  headers[REQUEST_HEADERS.fairKey] = request.fairKey;
  if (request.traceparent) headers[REQUEST_HEADERS.traceparent] = request.traceparent;
  return headers;
};
