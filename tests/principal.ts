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
