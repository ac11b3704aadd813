import { ERROR_KINDS, type ErrorKind } from "../../lib/errors";
import { ownValue } from "../../lib/own-value";
import type { RequestSample } from "../ports/recorder";

/** Where errors come from. unclassified: an error without a kind, which is a bug, so its count must stay 0. */
export const FAULT_DOMAINS = ["caller", "policy", "node", "gateway", "unclassified"] as const;
type FaultDomain = (typeof FAULT_DOMAINS)[number];

/** The kinds of statuses below 500 that aren't the caller's fault, and of statuses with a specific kind. */
const KIND_OF_STATUS: Readonly<Record<number, ErrorKind>> = {
  401: "invalid_api_key",
  403: "insufficient_role",
  404: "not_found",
  409: "conflict",
  429: "rate_limited",
  499: "client_closed",
};

/**
 * The kind of a failed response. A page that shows its form again throws no error, so the status determines the kind.
 * undefined for an unclassified failure of the gateway.
 */
export const errorKindOf = ({
  status,
  errorKind,
}: Pick<RequestSample, "status" | "errorKind">): ErrorKind | undefined =>
  errorKind ?? (status < 500 ? (KIND_OF_STATUS[status] ?? "invalid_request") : undefined);

/** The client ended the request before its response was complete. */
export const isCancelled = ({ status }: Pick<RequestSample, "status">): boolean => status === 499;

/**
 * Whether a response counts as an error. The 503 of `/readyz` doesn't, because it is a correct answer, nor does a
 * request that its client ended, because nothing failed.
 */
export const isFailure = ({ status, route }: Pick<RequestSample, "status" | "route">): boolean =>
  status >= 400 && status !== 499 && route !== "/readyz";

/**
 * Whether errors with this code are caused by a node or the gateway, not by the caller, a limit or a missing
 * permission. Stored codes may come from an earlier version.
 */
export const isServerFault = (code: string): boolean => {
  const fault = ownValue<{ fault: string }>(ERROR_KINDS, code)?.fault;
  return fault !== "caller" && fault !== "policy";
};

export const faultDomainOf = (kind: ErrorKind | undefined): FaultDomain =>
  kind === undefined ? "unclassified" : ERROR_KINDS[kind].fault;
