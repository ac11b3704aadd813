import type { Tx } from "../../db/client";
import { hasOtherAdmin, type KeyRow } from "../../db/keys";
import { AppError } from "../../lib/errors";
import type { Budget, ModelLimits } from "../limits-contract";
import { hasRole, type Principal } from "../principal";

/** The configured limits, for keys without their own. */
export type DefaultLimits = Pick<Principal["limits"], "requestsPerMinute" | "parallelRequests">;

export const effectiveLimits = (
  { id, limitAccount, ...key }: KeyRow,
  defaults: DefaultLimits,
): Required<Principal["limits"]> => ({
  requestsPerMinute: key.requestsPerMinute ?? defaults.requestsPerMinute,
  parallelRequests: key.parallelRequests ?? defaults.parallelRequests,
  tokensPerMinute: key.tokensPerMinute,
  budgets: key.budgets as Budget[],
  models: key.modelLimits as ModelLimits[],
  observeOnly: key.observeOnly,
  onStoreLoss: key.onStoreLoss,
  account: limitAccount ?? id,
});

type Validity = Pick<KeyRow, "revokedAt" | "expiresAt">;

export const isUsable = ({ revokedAt, expiresAt }: Validity, at: Date): boolean =>
  !revokedAt && !(expiresAt && expiresAt <= at);

/** Throws invalid_api_key if the key is revoked or expired at `at`. */
export const assertUsable = (key: Validity, at: Date): void => {
  if (isUsable(key, at)) return;
  const reason = key.revokedAt ? "was revoked" : `expired at ${key.expiresAt?.toISOString()}`;
  throw new AppError("invalid_api_key", `This API key ${reason}. Ask an admin for a new one.`);
};

export const toPrincipal = (key: KeyRow, defaults: DefaultLimits, via: Principal["via"]): Principal => ({
  keyId: key.id,
  keyName: key.name,
  role: key.role,
  allowedModels: key.allowedModels ?? undefined,
  allowedIndexes: key.allowedIndexes ?? undefined,
  limits: effectiveLimits(key, defaults),
  contentLogging: key.contentLogging,
  logBodies: key.logBodies && key.contentLogging,
  via,
});

/** Who makes a change: a principal, or the command line on the same machine. */
export type Actor = Pick<Principal, "keyId" | "role" | "requestId">;

/** Id of the row with the configured admin key. */
export const BOOTSTRAP_ID = "key_bootstrap";

export const assertAdmin = (actor: Actor): void => {
  if (hasRole(actor.role, "admin")) return;
  throw new AppError("insufficient_role", "Only an admin may change keys. Ask an admin.");
};

/** Rejects changes to the configured key, because the next start would undo them. */
export const assertOwnedHere = (key: KeyRow): void => {
  if (!key.isBootstrap) return;
  throw new AppError(
    "conflict",
    "This is the admin key from GROUNDWIRE_ADMIN_KEY. Change or remove that setting and restart the gateway.",
  );
};

export const assertNotRevoked = (key: KeyRow): void => {
  if (key.revokedAt) throw new AppError("conflict", `The key "${key.name}" is revoked permanently. Create a new one.`);
};

/** The key that replaces an expired one would have its expiry and never work. */
export const assertNotExpired = ({ name, expiresAt }: KeyRow, at: Date): void => {
  if (!expiresAt || expiresAt > at) return;
  throw new AppError(
    "conflict",
    `The key "${name}" expired at ${expiresAt.toISOString()}. Change its expires_at to a later time, or create a new key.`,
  );
};

export const assertInFuture = (expiresAt: Date | null | undefined, at: Date): void => {
  if (!expiresAt || expiresAt > at) return;
  throw new AppError(
    "invalid_request",
    `expires_at is ${expiresAt.toISOString()}, which is in the past. Choose a later time.`,
    { param: "expires_at" },
  );
};

/** Throws invalid_request for a key that would log bodies although nothing of it may be stored. */
export const assertBodiesLoggable = ({ contentLogging, logBodies }: Partial<KeyRow>): void => {
  if (!logBodies || contentLogging !== false) return;
  throw new AppError(
    "invalid_request",
    "log_bodies requires content_logging, which is off for this key. Turn content_logging on too.",
    { param: "log_bodies" },
  );
};

/** An admin key that expires within this time is temporary or being rotated, so it doesn't count as the last one. */
const LASTING_MS = 86_400_000;
const lastingUntil = (at: Date): Date => new Date(at.getTime() + LASTING_MS);

/** Whether the key expires so soon that another admin key is required. */
export const endsSoon = (expiresAt: Date | null | undefined, at: Date): boolean =>
  expiresAt != null && expiresAt <= lastingUntil(at);

/** Throws conflict if `key` is the only active admin key that doesn't expire soon. */
export const assertOtherAdmin = async (tx: Tx, key: KeyRow, at: Date): Promise<void> => {
  const works = key.role === "admin" && isUsable(key, at);
  if (!works || (await hasOtherAdmin(tx, key.id, lastingUntil(at)))) return;
  throw new AppError(
    "conflict",
    `"${key.name}" is the only admin key that is valid for more than a day. Without it, keys can no longer be managed. Create another admin key first.`,
  );
};
