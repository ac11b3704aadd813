import { and, eq, gt, lt, or } from "drizzle-orm";
import type { Db, Tx } from "./client";
import { idempotencyKeys } from "./schema";

export type IdempotencyRow = typeof idempotencyKeys.$inferSelect;

/**
 * Claims an idempotency key for `holder`, or returns the key's stored answer or current holder. Takes over a key that
 * has expired, or whose holder stopped sending heartbeats before it had an answer.
 */
export const claimIdempotencyKey = (
  db: Pick<Db, "write">,
  claim: Pick<IdempotencyRow, "id" | "fingerprint" | "holder" | "heldUntil" | "expiresAt">,
  now: Date,
): Promise<IdempotencyRow | "claimed"> =>
  db.write(async (tx) => {
    const isOpen = or(gt(idempotencyKeys.heldUntil, now), eq(idempotencyKeys.state, "done"));
    const [known] = await tx
      .select()
      .from(idempotencyKeys)
      .where(and(eq(idempotencyKeys.id, claim.id), gt(idempotencyKeys.expiresAt, now), isOpen));
    if (known) return known;
    const row = { ...claim, state: "running" as const, answer: null };
    await tx.insert(idempotencyKeys).values(row).onConflictDoUpdate({ target: idempotencyKeys.id, set: row });
    return "claimed";
  });

const isHeldBy = (id: string, holder: string) =>
  and(eq(idempotencyKeys.id, id), eq(idempotencyKeys.holder, holder), eq(idempotencyKeys.state, "running"));

export const extendIdempotencyKey = (db: Pick<Db, "write">, id: string, holder: string, until: Date): Promise<void> =>
  db.write(async (tx) => {
    await tx.update(idempotencyKeys).set({ heldUntil: until }).where(isHeldBy(id, holder));
  });

/**
 * Stores the answer. Call it in the transaction that creates what the answer describes, so that both are stored or
 * neither. False if another request has taken over the key.
 */
export const sealIdempotencyKey = async (tx: Tx, id: string, holder: string, answer: string): Promise<boolean> => {
  const { rowsAffected } = await tx.update(idempotencyKeys).set({ state: "done", answer }).where(isHeldBy(id, holder));
  return rowsAffected > 0;
};

/** Releases a key after a request that created nothing, so that it can be sent again. */
export const releaseIdempotencyKey = (db: Pick<Db, "write">, id: string, holder: string): Promise<void> =>
  db.write(async (tx) => {
    await tx.delete(idempotencyKeys).where(isHeldBy(id, holder));
  });

/** Deletes a key and its answer. Call it in the transaction that undoes what the answer describes. */
export const deleteIdempotencyKey = (tx: Tx, id: string) =>
  tx.delete(idempotencyKeys).where(eq(idempotencyKeys.id, id));

export const deleteExpiredIdempotencyKeys = (db: Pick<Db, "write">, before: Date): Promise<void> =>
  db.write(async (tx) => {
    await tx.delete(idempotencyKeys).where(lt(idempotencyKeys.expiresAt, before));
  });
