import { desc, eq, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { isAfter, type Slice, sortedBy, type TimeCursor } from "./conditions";
import { webhooks } from "./schema";

export type { WebhookSecret } from "./schema/webhooks";
export type WebhookRow = typeof webhooks.$inferSelect;

export const findWebhook = (db: Reads, id: string): Promise<WebhookRow | undefined> =>
  db.select().from(webhooks).where(eq(webhooks.id, id)).get();

/** Newest first, after `cursor`. */
export const listWebhooks = (db: Reads, limit: number, cursor?: TimeCursor): Promise<WebhookRow[]> =>
  db
    .select()
    .from(webhooks)
    .where(isAfter(webhooks.createdAt, webhooks.id, cursor))
    .orderBy(desc(webhooks.createdAt), desc(webhooks.id))
    .limit(limit);

/** Sortable columns. In ascending order, webhooks without a delivery come first. */
const ORDERS = {
  name: sql`lower(coalesce(nullif(${webhooks.description}, ''), ${webhooks.url}))`,
  created: sql`${webhooks.createdAt}`,
  delivered: sql`${webhooks.lastDeliveredAt}`,
};

export type WebhookSort = keyof typeof ORDERS;

export const listSortedWebhooks = (db: Reads, { limit, offset, sort }: Slice<WebhookSort>): Promise<WebhookRow[]> =>
  db.select().from(webhooks).orderBy(sortedBy(ORDERS, sort), desc(webhooks.id)).limit(limit).offset(offset);

export const countWebhooks = (db: Reads): Promise<number> => db.$count(webhooks);

export const insertWebhook = (tx: Tx, row: typeof webhooks.$inferInsert): Promise<WebhookRow> =>
  tx.insert(webhooks).values(row).returning().get();

export const updateWebhook = (
  tx: Tx,
  id: string,
  changes: Partial<Omit<WebhookRow, "id" | "createdAt" | "createdBy">>,
): Promise<WebhookRow | undefined> => tx.update(webhooks).set(changes).where(eq(webhooks.id, id)).returning().get();

/** Stores that an attempt to reach the webhook failed. Returns since when all attempts have failed. */
export const recordFailure = async (tx: Tx, id: string, now: Date): Promise<Date> => {
  const row = await tx
    .update(webhooks)
    .set({ failingSince: sql`COALESCE(${webhooks.failingSince}, ${now.getTime()})` })
    .where(eq(webhooks.id, id))
    .returning({ failingSince: webhooks.failingSince })
    .get();
  return row?.failingSince ?? now;
};

/** Deletes a webhook with its deliveries. */
export const deleteWebhook = (tx: Tx, id: string) => tx.delete(webhooks).where(eq(webhooks.id, id));
