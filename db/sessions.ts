import { and, eq, gt, isNull, lt } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import type { KeyRow } from "./keys";
import { keys, sessions, signInTokens } from "./schema";

export type SessionRow = typeof sessions.$inferSelect;

export const insertSession = (tx: Tx, row: typeof sessions.$inferInsert) => tx.insert(sessions).values(row);

/** The session and its key, whatever their state. `idHash`: SHA-256 of the cookie's value. */
export const findSession = async (
  db: Reads,
  idHash: Buffer,
): Promise<{ session: SessionRow; key: KeyRow } | undefined> => {
  const [row] = await db
    .select({ session: sessions, key: keys })
    .from(sessions)
    .innerJoin(keys, eq(keys.id, sessions.keyId))
    .where(eq(sessions.idHash, idHash))
    .limit(1);
  return row;
};

/** Whether the session was not revoked before. */
export const revokeSession = async (tx: Tx, idHash: Buffer, at: Date): Promise<boolean> => {
  const { rowsAffected } = await tx
    .update(sessions)
    .set({ revokedAt: at })
    .where(and(eq(sessions.idHash, idHash), isNull(sessions.revokedAt)));
  return rowsAffected > 0;
};

export const revokeSessions = async (tx: Tx, keyId: string, at: Date): Promise<number> => {
  const { rowsAffected } = await tx
    .update(sessions)
    .set({ revokedAt: at })
    .where(and(eq(sessions.keyId, keyId), isNull(sessions.revokedAt), gt(sessions.expiresAt, at)));
  return rowsAffected;
};

/**
 * Stores when sessions were last seen, and deletes sessions and sign-in tokens that expired before `before`, in one
 * transaction. The keys of `uses` are the sessions' hashes in base64.
 */
export const recordSessionUse = (db: Pick<Db, "write">, uses: ReadonlyMap<string, Date>, before: Date): Promise<void> =>
  db.write(async (tx) => {
    for (const [digest, lastSeenAt] of uses) {
      const idHash = Buffer.from(digest, "base64");
      await tx.update(sessions).set({ lastSeenAt }).where(eq(sessions.idHash, idHash));
    }
    await tx.delete(sessions).where(lt(sessions.expiresAt, before));
    await tx.delete(signInTokens).where(lt(signInTokens.expiresAt, before));
  });

export const insertSignInToken = (tx: Tx, row: typeof signInTokens.$inferInsert) => tx.insert(signInTokens).values(row);

const isGood = (tokenHash: Buffer, at: Date) =>
  and(eq(signInTokens.tokenHash, tokenHash), isNull(signInTokens.usedAt), gt(signInTokens.expiresAt, at));

/** Whether the token exists, is unused and hasn't expired. Only reads, so it doesn't block writers. */
export const isSignInTokenGood = async (db: Reads, tokenHash: Buffer, at: Date): Promise<boolean> => {
  const found = await db.select({ keyId: signInTokens.keyId }).from(signInTokens).where(isGood(tokenHash, at)).limit(1);
  return found.length > 0;
};

/**
 * Uses the token and returns its key; undefined if it is unknown, used or expired. Only one of two parallel calls
 * succeeds.
 */
export const useSignInToken = async (tx: Tx, tokenHash: Buffer, at: Date): Promise<string | undefined> => {
  const [row] = await tx
    .update(signInTokens)
    .set({ usedAt: at })
    .where(isGood(tokenHash, at))
    .returning({ keyId: signInTokens.keyId });
  return row?.keyId;
};
