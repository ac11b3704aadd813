import { appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import { findKey, findKeyByHash, hasOtherAdmin, insertKey, updateKey } from "../../db/keys";
import { revokeSessions } from "../../db/sessions";
import { AppError } from "../../lib/errors";
import { generateKey, hashOf } from "./format";
import { BOOTSTRAP_ID, isUsable } from "./rules";

const ACTOR = "start";

/**
 * Ensures that a working admin key exists. `adminKey` is the configured key; a previously configured one is revoked. If
 * no admin key works after that, a new one is created and returned as `created`. If several processes start together,
 * only one creates it. Throws invalid_request if `adminKey` is an issued key that isn't an active admin key.
 */
export const bootstrapAdmin = (db: Db, adminKey: string | undefined, at: Date): Promise<{ created?: string }> =>
  db.write(async (tx) => {
    if (adminKey !== undefined) {
      await keepEnvironmentKey(tx, hashOf(adminKey), at);
      return {};
    }
    await endEnvironmentKey(tx, at);
    if (await hasOtherAdmin(tx, BOOTSTRAP_ID, at)) return {};
    const { id, key } = generateKey();
    await insertKey(tx, { id, name: "admin", role: "admin", secretHash: hashOf(key), createdAt: at, createdBy: ACTOR });
    await appendAudit(tx, { at, actor: ACTOR, action: "key.create", target: id, detail: { role: "admin" } });
    return { created: key };
  });

const keepEnvironmentKey = async (tx: Tx, secretHash: Buffer, at: Date): Promise<void> => {
  const same = await findKeyByHash(tx, secretHash);
  if (same && same.id !== BOOTSTRAP_ID) {
    if (same.role === "admin" && isUsable(same, at)) return;
    throw new AppError(
      "invalid_request",
      `GROUNDWIRE_ADMIN_KEY is the key ${same.id}, which is not an active admin key. Set a different key.`,
      { param: "GROUNDWIRE_ADMIN_KEY" },
    );
  }
  if (same && !same.revokedAt) return;
  const old = await findKey(tx, BOOTSTRAP_ID);
  if (old) {
    await revokeSessions(tx, BOOTSTRAP_ID, at);
    await updateKey(tx, BOOTSTRAP_ID, { secretHash, revokedAt: null });
  } else {
    const name = "GROUNDWIRE_ADMIN_KEY";
    await insertKey(tx, { id: BOOTSTRAP_ID, name, role: "admin", secretHash, isBootstrap: true, createdAt: at });
  }
  const action = old ? "key.replace" : "key.create";
  await appendAudit(tx, { at, actor: ACTOR, action, target: BOOTSTRAP_ID, detail: { role: "admin" } });
};

/** Revokes the configured key after the setting is removed. */
const endEnvironmentKey = async (tx: Tx, at: Date): Promise<void> => {
  const old = await findKey(tx, BOOTSTRAP_ID);
  if (!old || old.revokedAt) return;
  await updateKey(tx, BOOTSTRAP_ID, { revokedAt: at });
  await revokeSessions(tx, BOOTSTRAP_ID, at);
  await appendAudit(tx, { at, actor: ACTOR, action: "key.revoke", target: BOOTSTRAP_ID });
};
