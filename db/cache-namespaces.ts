import type { Reads, Tx } from "./client";
import { cacheNamespaces } from "./schema";

export type CacheNamespaceRow = typeof cacheNamespaces.$inferSelect;

export const listCacheNamespaces = (db: Reads): Promise<CacheNamespaceRow[]> => db.select().from(cacheNamespaces);

export const saveCacheNamespace = async (tx: Tx, row: CacheNamespaceRow): Promise<void> => {
  const { name: _, ...changes } = row;
  await tx.insert(cacheNamespaces).values(row).onConflictDoUpdate({ target: cacheNamespaces.name, set: changes });
};
