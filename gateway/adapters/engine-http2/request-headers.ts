import { REQUEST_HEADERS } from "../../../gpu-node/protocol";
import type { EngineRequest } from "../../ports/engine";
import type { EngineNode } from "./node";

/**
 * The headers of a generation. `deadlineMs`: the remaining time; `queueMs`: how long it may wait for a slot. Omits
 * headers that the node doesn't need, because every header costs time on both sides.
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
  // The gateway also resets the stream at the deadline. The node only needs a deadline that the caller chose, for its
  // queue, or one that is later than its own default.
  if (request.hasOwnDeadline || !defaults || defaults.total_ms < deadlineMs) {
    headers[REQUEST_HEADERS.deadlineMs] = String(Math.round(deadlineMs));
  }
  if (defaults?.queue_ms !== queueMs) headers[REQUEST_HEADERS.queueTimeoutMs] = String(queueMs);
  headers[REQUEST_HEADERS.fairKey] = request.fairKey;
  if (request.traceparent) headers[REQUEST_HEADERS.traceparent] = request.traceparent;
  return headers;
};
