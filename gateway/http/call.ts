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
  return new ExchangeCall(exchange, principal);
};

/** `signal` is not a field: it is made when it is read, and a copy of the call has to bring its own. */
class ExchangeCall implements Call {
  readonly requestId: string;
  readonly priority: Call["priority"];
  readonly directives: Call["directives"];
  readonly receivedAt: number;
  readonly traceparent: string | undefined;
  readonly #exchange: Exchange;

  constructor(
    exchange: Exchange,
    readonly principal: Principal,
  ) {
    const { headers } = exchange.request;
    this.#exchange = exchange;
    this.requestId = exchange.requestId;
    this.priority = headers.get("x-priority") === "batch" ? "batch" : "interactive";
    this.directives = parseCacheControl(headers.get("cache-control") ?? undefined);
    this.receivedAt = exchange.receivedAt;
    this.traceparent = exchange.traceparent;
  }

  get signal(): AbortSignal {
    return this.#exchange.activeSignal(this.principal.keyId);
  }
}
