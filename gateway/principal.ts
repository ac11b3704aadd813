import type { Budget, ModelLimits, StoreLoss } from "./limits-contract";

/** Roles in ascending order. Each includes the ones before it. */
export const ROLES = ["viewer", "member", "editor", "admin"] as const;
/** `metrics` is separate: it can only read metrics, which all other roles can do too. */
export type Role = (typeof ROLES)[number] | "metrics";

/** The effective limits of a key. */
interface KeyLimits {
  requestsPerMinute: number;
  parallelRequests: number;
  tokensPerMinute?: number | null;
  budgets?: readonly Budget[];
  models?: readonly ModelLimits[];
  /** None of the limits refuses a request. */
  observeOnly?: boolean;
  /** local by default. */
  onStoreLoss?: StoreLoss;
  /** The key whose counters these limits use: itself, or for a rotated key the one that it replaces. */
  account?: string;
}

/** The caller: a key, directly or through a page session. */
export interface Principal {
  keyId: string;
  keyName: string;
  role: Role;
  /** undefined: every model. */
  allowedModels?: string[];
  /** Ids or names of indexes; undefined: every index. */
  allowedIndexes?: string[];
  limits: KeyLimits;
  /** Whether this key's prompts and answers may be stored. */
  contentLogging: boolean;
  /** Whether the request log stores the bodies of this key's model calls; undefined: no. */
  logBodies?: boolean;
  /** The request that the caller is making, for the audit log; undefined on the hot path, in jobs and on the command line. */
  requestId?: string;
  /** W3C trace context of that request, so that the spans of its jobs can link to it. */
  traceparent?: string;
  /** worker: a jobs worker that works for the key. */
  via: "key" | "session" | "worker";
}

/** Whether `role` includes the permissions of `needed`. */
export const hasRole = (role: Role, needed: Role): boolean => {
  if (needed === "metrics") return true;
  return role !== "metrics" && ROLES.indexOf(role) >= ROLES.indexOf(needed);
};
