import { type Call, NO_DIRECTIVES } from "../gateway/call";
import type { Principal } from "../gateway/principal";

/** A ledger without limits, for tests of services. */
export const UNLIMITED = { useModel: () => undefined };

/** An admin, for tests of services. */
export const PRINCIPAL: Principal = {
  keyId: "key_test",
  keyName: "a test",
  role: "admin",
  limits: { requestsPerMinute: 1000, parallelRequests: 100 },
  contentLogging: true,
  via: "key",
};

/** A call of this admin that nobody aborts. */
export const callOf = (changes: Partial<Call> = {}): Call => ({
  principal: PRINCIPAL,
  requestId: "req_1",
  signal: new AbortController().signal,
  priority: "interactive",
  directives: NO_DIRECTIVES,
  receivedAt: performance.now(),
  ...changes,
});
