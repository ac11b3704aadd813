import type { KeyRow } from "../../db/keys";
import { AppError } from "../../lib/errors";
import type { Principal } from "../principal";

/** The configured limits, for keys without their own. */
export interface DefaultLimits {
  requestsPerMinute: number;
  parallelRequests: number;
}

export const effectiveLimits = (
  key: Pick<KeyRow, "requestsPerMinute" | "parallelRequests">,
  defaults: DefaultLimits,
): Principal["limits"] => ({
  requestsPerMinute: key.requestsPerMinute ?? defaults.requestsPerMinute,
  parallelRequests: key.parallelRequests ?? defaults.parallelRequests,
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
  limits: effectiveLimits(key, defaults),
  contentLogging: key.contentLogging,
  via,
});
