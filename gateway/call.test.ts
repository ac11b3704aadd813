import { expect, test } from "bun:test";
import type { Span } from "../lib/tracing/tracer";
import { PRINCIPAL } from "../tests/principal";
import { type Call, callWithin, NO_DIRECTIVES } from "./call";

/** Like the call of a request: fields of its own, and a getter and a method of its class. */
class ClassCall implements Call {
  readonly principal = PRINCIPAL;
  readonly requestId = "req_1";
  readonly priority = "interactive";
  readonly directives = NO_DIRECTIVES;
  readonly receivedAt = 5;
  readonly deadlineMs = 100;
  readonly added: Record<string, string>[] = [];
  readonly #abort = new AbortController();

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  addHeaders(headers: Record<string, string>): void {
    this.added.push(headers);
  }
}

test("a call within a span only differs in its trace context", () => {
  const call = new ClassCall();
  const within = callWithin(call, { traceparent: "00-a-b-01" } as Span);
  within.addHeaders?.({ "x-test": "1" });
  expect([within.traceparent, within.signal === call.signal, within.deadlineMs]).toEqual(["00-a-b-01", true, 100]);
  expect(call.added).toEqual([{ "x-test": "1" }]);
  expect(callWithin(call, undefined)).toBe(call);
});
