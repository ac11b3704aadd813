/** Roles nest: each may do what the one before it may. `metrics` stands apart and reads metrics only. */
export const ROLES = ["viewer", "member", "editor", "admin"] as const;
export type Role = (typeof ROLES)[number] | "metrics";

/** Who calls: a key, directly or through a session of the pages. */
export interface Principal {
  keyId: string;
  keyName: string;
  role: Role;
  /** undefined: every model. */
  allowedModels?: string[];
  limits: { requestsPerMinute: number; parallelRequests: number };
  /** Whether prompts and answers of this key may be kept. */
  contentLogging: boolean;
  via: "key" | "session";
}

/** True when `role` covers what `needed` may do. */
export const hasRole = (role: Role, needed: Role): boolean =>
  role === needed ||
  (needed === "metrics"
    ? role === "admin" || role === "editor" || role === "member" || role === "viewer"
    : role !== "metrics" && ROLES.indexOf(role) >= ROLES.indexOf(needed));
