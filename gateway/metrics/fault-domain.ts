import type { ErrorKind } from "../../lib/errors";
import type { RequestSample } from "../ports/recorder";

/**
 * The origin of an error. caller: the request was invalid or its sender disconnected. policy: a limit or a missing
 * permission. node: the engine was full, unreachable, too slow or failed. gateway: our own. unclassified: an error
 * without a kind, which is a bug, so its count must stay 0.
 */
export const FAULT_DOMAINS = ["caller", "policy", "node", "gateway", "unclassified"] as const;
export type FaultDomain = (typeof FAULT_DOMAINS)[number];

const DOMAIN_OF: Readonly<Record<ErrorKind, FaultDomain>> = {
  invalid_request: "caller",
  context_length_exceeded: "caller",
  missing_api_key: "caller",
  invalid_api_key: "caller",
  not_found: "caller",
  model_not_found: "caller",
  method_not_allowed: "caller",
  conflict: "caller",
  payload_too_large: "caller",
  unsupported_media_type: "caller",
  idempotency_mismatch: "caller",
  dataset_invalid: "caller",
  client_closed: "caller",
  not_cached: "caller",
  insufficient_role: "policy",
  budget_exhausted: "policy",
  budget_exceeded: "policy",
  rate_limited: "policy",
  overloaded: "node",
  upstream_error: "node",
  unavailable: "node",
  model_loading: "node",
  deadline_exceeded: "node",
  internal: "gateway",
  not_implemented: "gateway",
  storage_full: "gateway",
};

/** Statuses below 500 whose domain is not `caller`, and those with a kind of their own. */
const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  401: "invalid_api_key",
  403: "insufficient_role",
  404: "not_found",
  409: "conflict",
  429: "rate_limited",
  499: "client_closed",
};

/**
 * The kind of a failed response. A page that shows its form again throws no error, so its status decides. undefined for
 * an unclassified failure of the gateway.
 */
export const errorKindOf = ({
  status,
  errorKind,
}: Pick<RequestSample, "status" | "errorKind">): ErrorKind | undefined =>
  errorKind ?? (status < 500 ? (KIND_OF_STATUS[status] ?? "invalid_request") : undefined);

/** Whether a response counts as an error. The 503 of `/readyz` does not, because it is a correct answer. */
export const isFailure = ({ status, route }: Pick<RequestSample, "status" | "route">): boolean =>
  status >= 400 && route !== "/readyz";

export const faultDomainOf = (kind: ErrorKind | undefined): FaultDomain =>
  kind === undefined ? "unclassified" : DOMAIN_OF[kind];
