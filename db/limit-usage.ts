import { asc, gt, lte, sql } from "drizzle-orm";
import type { Db, Reads } from "./client";
import { limitUsage } from "./schema";

export type LimitUsageRow = typeof limitUsage.$inferSelect;

/** Amounts that have not left their window at `atMs`, in the order in which they leave. */
export const listLimitUsage = (db: Reads, atMs: number): Promise<LimitUsageRow[]> =>
  db.select().from(limitUsage).where(gt(limitUsage.leavesAt, atMs)).orderBy(asc(limitUsage.leavesAt));

/** Rows per statement, well below SQLite's limit of parameters. */
const ROWS_PER_INSERT = 1000;

/** Adds to the stored amounts, and deletes those that have left their window at `atMs`. Amounts may be negative. */
export const addLimitUsage = (db: Pick<Db, "write">, rows: readonly LimitUsageRow[], atMs: number): Promise<void> =>
  db.write(async (tx) => {
    for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
      await tx
        .insert(limitUsage)
        .values(rows.slice(from, from + ROWS_PER_INSERT))
        .onConflictDoUpdate({
          target: [limitUsage.counter, limitUsage.leavesAt],
          set: { amount: sql`${limitUsage.amount} + excluded.amount` },
        });
    }
    await tx.delete(limitUsage).where(lte(limitUsage.leavesAt, atMs));
  });
