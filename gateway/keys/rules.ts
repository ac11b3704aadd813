import type { Tx } from "../../db/client";
import { hasOtherAdmin, type KeyRow } from "../../db/keys";
import { AppError } from "../../lib/errors";
import { hasRole, type Principal } from "../principal";
import { isUsable } from "./admission";

/** Who makes a change: a principal, or the command line on the machine itself. */
export type Actor = Pick<Principal, "keyId" | "role">;

/** Id of the one row that holds the admin key of the environment. */
export const BOOTSTRAP_ID = "key_bootstrap";

export const assertAdmin = (actor: Actor): void => {
  if (hasRole(actor.role, "admin")) return;
  throw new AppError("insufficient_role", "Only an admin may change keys. Ask one.");
};

/** The environment owns its key: what is changed here would be undone at the next start. */
export const assertOwnedHere = (key: KeyRow): void => {
  if (!key.isBootstrap) return;
  throw new AppError(
    "conflict",
    "This is the admin key of GROUNDWIRE_ADMIN_KEY. Change or remove that setting and start the gateway again.",
  );
};

export const assertNotRevoked = (key: KeyRow): void => {
  if (key.revokedAt) throw new AppError("conflict", `The key "${key.name}" is revoked for good. Create a new one.`);
};

export const assertInFuture = (expiresAt: Date | null | undefined, at: Date): void => {
  if (!expiresAt || expiresAt > at) return;
  throw new AppError("invalid_request", `expires_at is ${expiresAt.toISOString()}, which is over. Give a later time.`, {
    param: "expires_at",
  });
};

/** An admin key that ends within this time is no way back in: it is being rotated away, or was made for a visit. */
const LASTING_MS = 86_400_000;
const lastingUntil = (at: Date): Date => new Date(at.getTime() + LASTING_MS);

/** True when the key ends so soon that another admin key has to be there. */
export const endsSoon = (expiresAt: Date | null | undefined, at: Date): boolean =>
  expiresAt != null && expiresAt <= lastingUntil(at);

/** Refuses the end of an admin key that works when no other one lasts. */
export const assertOtherAdmin = async (tx: Tx, key: KeyRow, at: Date): Promise<void> => {
  const works = key.role === "admin" && isUsable(key, at);
  if (!works || (await hasOtherAdmin(tx, key.id, lastingUntil(at)))) return;
  throw new AppError(
    "conflict",
    `"${key.name}" is the only admin key that works for more than a day: without it nobody could manage keys. Create another admin key first.`,
  );
};
