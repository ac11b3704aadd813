import { and, asc, desc, eq, gt, inArray, isNull, ne, or, sql } from "drizzle-orm";
import type { Db, Reads, Tx } from "./client";
import { type Slice, sortedBy } from "./conditions";
import { cacheNamespaces, keys } from "./schema";

export type KeyRow = typeof keys.$inferSelect;
export type NewKeyRow = typeof keys.$inferInsert;
export type KeyChanges = Partial<Omit<NewKeyRow, "id" | "createdAt" | "createdBy" | "rotatedFrom">>;

export const findKey = (db: Reads, id: string): Promise<KeyRow | undefined> =>
  db.select().from(keys).where(eq(keys.id, id)).limit(1).get();

/** `secretHash`: SHA-256 of the whole key. */
export const findKeyByHash = (db: Reads, secretHash: Buffer): Promise<KeyRow | undefined> =>
  db.select().from(keys).where(eq(keys.secretHash, secretHash)).limit(1).get();

/** Keys, newest first. `after` is the last id on the previous page. */
export const listKeys = (db: Reads, limit: number, after?: string): Promise<KeyRow[]> => {
  const older = sql`(${keys.createdAt}, ${keys.id}) < (SELECT created_at, id FROM keys WHERE id = ${after})`;
  return db
    .select()
    .from(keys)
    .where(after === undefined ? undefined : older)
    .orderBy(desc(keys.createdAt), desc(keys.id))
    .limit(limit);
};

/** Sortable columns. In ascending order, keys that never expire come last and keys that were never used come first. */
const ORDERS = {
  name: sql`lower(${keys.name})`,
  role: sql`${keys.role}`,
  created: sql`${keys.createdAt}`,
  used: sql`${keys.lastUsedAt}`,
  expires: sql`coalesce(${keys.expiresAt}, 9e15)`,
};

export type KeySort = keyof typeof ORDERS;

export const listSortedKeys = (db: Reads, { limit, offset, sort }: Slice<KeySort>): Promise<KeyRow[]> =>
  db
    .select()
    .from(keys)
    .orderBy(sortedBy(ORDERS, sort), (sort.isDescending ? desc : asc)(keys.id))
    .limit(limit)
    .offset(offset);

/** Keys that replaced any of these keys and are not revoked, oldest first. */
export const listSuccessors = (db: Reads, ids: readonly string[]): Promise<KeyRow[]> =>
  db
    .select()
    .from(keys)
    .where(and(inArray(keys.rotatedFrom, [...ids]), isNull(keys.revokedAt)))
    .orderBy(asc(keys.createdAt), asc(keys.id));

/** Expiry dates of all keys that replaced this one, directly or through others, including revoked ones. */
export const listSuccessorExpiries = async (db: Reads, id: string): Promise<(Date | null)[]> => {
  const found: (Date | null)[] = [];
  for (let ids = [id]; ids.length > 0; ) {
    const rows = await db
      .select({ id: keys.id, expiresAt: keys.expiresAt })
      .from(keys)
      .where(inArray(keys.rotatedFrom, ids));
    found.push(...rows.map(({ expiresAt }) => expiresAt));
    ids = rows.map((row) => row.id);
  }
  return found;
};

/** Names by id. */
export const listKeyNames = async (db: Reads, ids: readonly string[]): Promise<Map<string, string>> => {
  const rows = await db
    .select({ id: keys.id, name: keys.name })
    .from(keys)
    .where(inArray(keys.id, [...ids]));
  return new Map(rows.map(({ id, name }) => [id, name]));
};

export const countKeys = (db: Reads): Promise<number> => db.$count(keys);

/** True if an admin key other than `exceptId` is neither revoked nor expired at `at`. */
export const hasOtherAdmin = async (db: Reads, exceptId: string, at: Date): Promise<boolean> => {
  const works = and(isNull(keys.revokedAt), or(isNull(keys.expiresAt), gt(keys.expiresAt, at)));
  const [row] = await db
    .select({ id: keys.id })
    .from(keys)
    .where(and(eq(keys.role, "admin"), ne(keys.id, exceptId), works))
    .limit(1);
  return row !== undefined;
};

export const insertKey = async (tx: Tx, row: NewKeyRow): Promise<KeyRow> => {
  const [inserted] = await tx.insert(keys).values(row).returning();
  if (!inserted) throw new Error("INSERT … RETURNING returned no row.");
  return inserted;
};

export const updateKey = (tx: Tx, id: string, changes: KeyChanges): Promise<KeyRow | undefined> =>
  tx.update(keys).set(changes).where(eq(keys.id, id)).returning().get();

/** Stores the last use of several keys in one transaction. An earlier time never replaces a later one. */
export const recordKeyUse = (db: Pick<Db, "write">, uses: ReadonlyMap<string, Date>): Promise<void> =>
  db.write(async (tx) => {
    for (const [id, usedAt] of uses) {
      const isLater = or(isNull(keys.lastUsedAt), gt(sql.param(usedAt, keys.lastUsedAt), keys.lastUsedAt));
      await tx
        .update(keys)
        .set({ lastUsedAt: usedAt })
        .where(and(eq(keys.id, id), isLater));
    }
  });

export type CacheNamespaceRow = typeof cacheNamespaces.$inferSelect;

export const listCacheNamespaces = (db: Reads): Promise<CacheNamespaceRow[]> => db.select().from(cacheNamespaces);

export const saveCacheNamespace = async (tx: Tx, row: CacheNamespaceRow): Promise<void> => {
  const { name: _, ...changes } = row;
  await tx.insert(cacheNamespaces).values(row).onConflictDoUpdate({ target: cacheNamespaces.name, set: changes });
};
