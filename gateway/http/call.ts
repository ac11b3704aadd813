import type { Call } from "../call";
import type { Principal } from "../principal";
import type { Exchange } from "./exchange";
import { deadlineOf, fallbackOf, parseCacheControl, priorityOf } from "./request-headers";

/**
 * Creates the call through which a request uses models. It is aborted when the caller disconnects, the key expires or
 * is revoked, or the deadline passes. Throws invalid_request for an invalid header.
 */
export const callOf = (exchange: Exchange, principal: Principal): Call => new ExchangeCall(exchange, principal, false);

/** A call whose answer may be reduced, so that users get one when not everything works. */
export const reducibleCallOf = (exchange: Exchange, principal: Principal): Call =>
  new ExchangeCall(exchange, principal, principal.via !== "worker");

/** `signal` is a getter that creates the signal on first use, so a copy of the call must supply its own. */
class ExchangeCall implements Call {
  readonly requestId: string;
  readonly priority: Call["priority"];
  readonly directives: Call["directives"];
  readonly receivedAt: number;
  readonly deadlineMs: number | undefined;
  readonly traceparent: string | undefined;
  readonly route: string;
  readonly runId: string | undefined;
  readonly mayFallBack: boolean;
  readonly report: Exchange;
  readonly mayShorten: boolean;

  constructor(
    exchange: Exchange,
    readonly principal: Principal,
    isReducible: boolean,
  ) {
    const { headers } = exchange.request;
    this.report = exchange;
    this.requestId = exchange.requestId;
    this.priority = principal.via === "worker" ? "batch" : priorityOf(headers);
    this.directives = parseCacheControl(headers.get("cache-control") ?? undefined);
    this.receivedAt = exchange.receivedAt;
    this.deadlineMs = deadlineOf(headers);
    this.traceparent = exchange.traceparent;
    this.route = exchange.routeName;
    this.runId = principal.via === "worker" ? (headers.get("x-groundwire-run") ?? undefined) : undefined;
    this.mayShorten = isReducible && this.priority === "interactive";
    this.mayFallBack = isReducible && fallbackOf(headers);
  }

  addHeaders(headers: Record<string, string>): void {
    Object.assign(this.report.headers, headers);
  }

  get signal(): AbortSignal {
    return this.report.activeSignal(this.principal.keyId, this.priority === "batch");
  }
}
