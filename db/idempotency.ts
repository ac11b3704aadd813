import { and, eq, gt, lt, or } from "drizzle-orm";
import type { Db, Tx } from "./client";
import { idempotencyKeys } from "./schema";

export type IdempotencyRow = typeof idempotencyKeys.$inferSelect;

/**
 * Takes an idempotency key for `holder`, or answers what is known of it: the first answer, or who is at work on it. One
 * that has expired, or whose holder fell silent without an answer, is taken over.
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

/** Says that the holder is still at work. */
export const extendIdempotencyKey = (db: Pick<Db, "write">, id: string, holder: string, until: Date): Promise<void> =>
  db.write(async (tx) => {
    await tx.update(idempotencyKeys).set({ heldUntil: until }).where(isHeldBy(id, holder));
  });

/**
 * Keeps the answer: in the transaction of what it tells, so that neither is there without the other. False when another
 * request holds the key by now.
 */
export const sealIdempotencyKey = async (tx: Tx, id: string, holder: string, answer: string): Promise<boolean> => {
  const sealed = await tx
    .update(idempotencyKeys)
    .set({ state: "done", answer })
    .where(isHeldBy(id, holder))
    .returning({ id: idempotencyKeys.id });
  return sealed.length > 0;
};

/** Gives a key back: nothing was made, and the same request may be sent again. */
export const releaseIdempotencyKey = (db: Pick<Db, "write">, id: string, holder: string): Promise<void> =>
  db.write(async (tx) => {
    await tx.delete(idempotencyKeys).where(isHeldBy(id, holder));
  });

/** Forgets a key with its answer: what it told was taken back in this transaction. */
export const deleteIdempotencyKey = async (tx: Tx, id: string): Promise<void> => {
  await tx.delete(idempotencyKeys).where(eq(idempotencyKeys.id, id));
};

/** Forgets those that expired before `before`. */
export const deleteExpiredIdempotencyKeys = (db: Pick<Db, "write">, before: Date): Promise<void> =>
  db.write(async (tx) => {
    await tx.delete(idempotencyKeys).where(lt(idempotencyKeys.expiresAt, before));
  });
