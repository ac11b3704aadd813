import { and, eq, lt, ne } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { outages } from "./schema";

export type OutageRow = typeof outages.$inferSelect;

/** Stores that a gateway sees an outage. Returns the row, and whether this gateway is the first to see it. */
export const startOutage = async (tx: Tx, row: OutageRow): Promise<{ outage: OutageRow; isFirst: boolean }> => {
  const others = await tx.select().from(outages).where(eq(outages.subject, row.subject));
  const since = new Date(Math.min(row.since.getTime(), ...others.map((other) => other.since.getTime())));
  const outage = { ...row, since: others.length > 0 ? since : row.since };
  await tx
    .insert(outages)
    .values(outage)
    .onConflictDoUpdate({ target: [outages.subject, outages.observer], set: { until: row.until } });
  return { outage, isFirst: others.length === 0 };
};

/** Stores that a gateway no longer sees an outage. Returns the outage if no other gateway sees it either. */
export const endOutage = async (tx: Tx, subject: string, observer: string): Promise<OutageRow | undefined> => {
  const isOwn = and(eq(outages.subject, subject), eq(outages.observer, observer));
  const ended = await tx.delete(outages).where(isOwn).returning().get();
  if (!ended) return undefined;
  const others = await tx.select().from(outages).where(eq(outages.subject, subject)).limit(1);
  return others.length === 0 ? ended : undefined;
};

export const renewOutages = (tx: Tx, observer: string, until: Date) =>
  tx.update(outages).set({ until }).where(eq(outages.observer, observer));

/** Outages seen by other gateways that have not renewed them. */
export const listExpiredOutages = (db: Reads, observer: string, now: Date): Promise<OutageRow[]> =>
  db
    .select()
    .from(outages)
    .where(and(lt(outages.until, now), ne(outages.observer, observer)));
