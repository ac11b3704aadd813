import type { Call } from "../call";
import type { Principal } from "../principal";
import { parseCacheControl } from "./cache-control";
import { deadlineOf } from "./deadline";
import type { Exchange } from "./exchange";

/** A request's model call. It ends when the caller disconnects, the key ends or the deadline passes. */
export const callOf = (exchange: Exchange, principal: Principal): Call => {
  const { headers } = exchange.request;
  // A wrong one is refused, even if the answer is stored and needs no signal.
  deadlineOf(headers);
  return {
    principal,
    requestId: exchange.requestId,
    get signal() {
      return exchange.activeSignal(principal.keyId);
    },
    priority: headers.get("x-priority") === "batch" ? "batch" : "interactive",
    directives: parseCacheControl(headers.get("cache-control") ?? undefined),
    receivedAt: exchange.receivedAt,
    traceparent: exchange.traceparent,
  };
};
