import { and, asc, eq, gte, lt, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { metricRollups } from "./schema";

export type RollupRow = typeof metricRollups.$inferSelect;
export type Resolution = RollupRow["resolution"];

/** Adds rows, or replaces those of the same period and source. */
export const putRollups = async (tx: Tx, rows: readonly RollupRow[]): Promise<void> => {
  if (rows.length === 0) return;
  const { resolution, at, source } = metricRollups;
  await tx
    .insert(metricRollups)
    .values([...rows])
    .onConflictDoUpdate({ target: [resolution, at, source], set: { measured: sql`excluded.measured` } });
};

/** Rows of the periods from `from` up to `to` (exclusive), oldest first. */
export const listRollups = (db: Reads, resolution: Resolution, from: number, to: number): Promise<RollupRow[]> =>
  db
    .select()
    .from(metricRollups)
    .where(and(eq(metricRollups.resolution, resolution), gte(metricRollups.at, from), lt(metricRollups.at, to)))
    .orderBy(asc(metricRollups.at), asc(metricRollups.source));

/** Start of the oldest stored period of each resolution. */
export const findOldestRollups = (db: Reads): Promise<Pick<RollupRow, "resolution" | "at">[]> =>
  db
    .select({ resolution: metricRollups.resolution, at: sql<number>`MIN(${metricRollups.at})` })
    .from(metricRollups)
    .groupBy(metricRollups.resolution);

/** Deletes rows of periods that began before `before`. */
export const deleteRollups = async (tx: Tx, resolution: Resolution, before: number): Promise<void> => {
  await tx.delete(metricRollups).where(and(eq(metricRollups.resolution, resolution), lt(metricRollups.at, before)));
};
