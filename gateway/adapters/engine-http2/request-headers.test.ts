import { expect, test } from "bun:test";
import type { NodeReadiness } from "../../../gpu-node/protocol";
import { EngineNode } from "./node";
import { requestHeaders } from "./request-headers";

const READINESS: NodeReadiness = {
  ...{ state: "ready", engine: "synthetic", synthetic: true, version: "0.0.0", models: [] },
  slots: { total: 1, running: 0 },
  queue: { depth: 0, capacity: 8 },
};

const headersFor = (timeouts: NodeReadiness["timeouts"], hasOwnDeadline: boolean) => {
  const options = { url: "http://127.0.0.1:1", token: undefined, connections: 1 };
  const node = new EngineNode({ ...options, connectMs: 1000, pingMs: 1000, stuckMs: 1000 });
  node.readiness = { ...READINESS, timeouts };
  const request = {
    route: "/v1/completions",
    model: "m",
    requestId: "req_1",
    fairKey: "key_1",
    priority: "interactive",
    hasOwnDeadline,
  } as const;
  const headers = requestHeaders(node, request, { deadlineMs: 599_999.6, queueMs: 60_000 });
  return [headers["x-deadline-ms"], headers["x-queue-timeout-ms"]];
};

test.each([
  ["the gateway's defaults", { total_ms: 600_000, queue_ms: 60_000 }, false, undefined, undefined],
  ["unless the caller chose a deadline", { total_ms: 600_000, queue_ms: 60_000 }, true, "600000", undefined],
  ["unless the node would end the answer earlier", { total_ms: 30_000, queue_ms: 60_000 }, false, "600000", undefined],
  ["unless the node's queue timeout differs", { total_ms: 600_000, queue_ms: 1000 }, false, undefined, "60000"],
  ["unless the node's defaults are unknown", undefined, false, "600000", "60000"],
] as const)("timeouts that the node doesn't need are not sent (%s)", (_, timeouts, hasOwnDeadline, deadline, queue) => {
  expect(headersFor(timeouts, hasOwnDeadline)).toEqual([deadline, queue]);
});
