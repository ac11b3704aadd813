import { and, asc, desc, eq, isNull, type SQL, sql } from "drizzle-orm";
import type { Reads, Tx } from "./client";
import { isAfter, type Slice, type TimeCursor } from "./conditions";
import { webhookAttempts, webhookDeliveries, webhookEvents, webhooks } from "./schema";

export type DeliveryRow = typeof webhookDeliveries.$inferSelect;
export type AttemptRow = typeof webhookAttempts.$inferSelect;
export type EventRow = typeof webhookEvents.$inferSelect;

/** A delivery with its event's type, and with the number and the end of its attempts. */
export interface ListedDelivery {
  delivery: DeliveryRow;
  eventType: string;
  attemptCount: number;
  /** Of the last attempt. */
  status: number | null;
  error: string | null;
}

export interface DeliveryFilter {
  webhookId: string;
  state?: DeliveryRow["state"];
}

const fits = ({ webhookId, state }: DeliveryFilter): SQL | undefined =>
  and(eq(webhookDeliveries.webhookId, webhookId), state && eq(webhookDeliveries.state, state));

const ofAttempts = (what: string) =>
  sql.raw(`(SELECT ${what} FROM webhook_attempts WHERE delivery_id = webhook_deliveries.id`);

const selectListed = (db: Reads) =>
  db
    .select({
      delivery: webhookDeliveries,
      eventType: webhookEvents.type,
      attemptCount: sql<number>`${ofAttempts("COUNT(*)")})`,
      status: sql<number | null>`${ofAttempts("status")} ORDER BY id DESC LIMIT 1)`,
      error: sql<string | null>`${ofAttempts("error")} ORDER BY id DESC LIMIT 1)`,
    })
    .from(webhookDeliveries)
    .innerJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId));

const NEWEST_FIRST = [desc(webhookDeliveries.createdAt), desc(webhookDeliveries.id)] as const;

/** Newest first, after `cursor`. */
export const listDeliveries = (
  db: Reads,
  { limit, cursor, ...filter }: DeliveryFilter & { limit: number; cursor?: TimeCursor },
): Promise<ListedDelivery[]> =>
  selectListed(db)
    .where(and(fits(filter), isAfter(webhookDeliveries.createdAt, webhookDeliveries.id, cursor)))
    .orderBy(...NEWEST_FIRST)
    .limit(limit);

/** A slice of the list, newest first. */
export const listDeliverySlice = (
  db: Reads,
  { limit, offset, ...filter }: DeliveryFilter & Pick<Slice<string>, "limit" | "offset">,
): Promise<ListedDelivery[]> =>
  selectListed(db)
    .where(fits(filter))
    .orderBy(...NEWEST_FIRST)
    .limit(limit)
    .offset(offset);

export const countDeliveries = (db: Reads, filter: DeliveryFilter): Promise<number> =>
  db.$count(webhookDeliveries, fits(filter));

export const findDelivery = (db: Reads, webhookId: string, id: string): Promise<ListedDelivery | undefined> =>
  selectListed(db)
    .where(and(eq(webhookDeliveries.webhookId, webhookId), eq(webhookDeliveries.id, id)))
    .get();

export const findEvent = (db: Reads, id: string): Promise<EventRow | undefined> =>
  db.select().from(webhookEvents).where(eq(webhookEvents.id, id)).get();

/** Oldest first. */
export const listAttempts = (db: Reads, deliveryId: string): Promise<AttemptRow[]> =>
  db.select().from(webhookAttempts).where(eq(webhookAttempts.deliveryId, deliveryId)).orderBy(asc(webhookAttempts.id));

const WORKER_DIED = "The jobs worker stopped before the response arrived.";

/**
 * Starts an attempt. Returns undefined if the delivery is over, or if another job makes its next attempt. An earlier
 * attempt without an end is one whose worker died.
 */
export const startAttempt = async (tx: Tx, deliveryId: string, jobId: string, now: Date) => {
  const found = await tx
    .select({ delivery: webhookDeliveries, event: webhookEvents, webhook: webhooks })
    .from(webhookDeliveries)
    .innerJoin(webhookEvents, eq(webhookEvents.id, webhookDeliveries.eventId))
    .innerJoin(webhooks, eq(webhooks.id, webhookDeliveries.webhookId))
    .where(and(eq(webhookDeliveries.id, deliveryId), isNextAttempt(jobId)))
    .get();
  if (!found) return undefined;
  await tx
    .update(webhookAttempts)
    .set({ error: WORKER_DIED })
    .where(
      and(eq(webhookAttempts.deliveryId, deliveryId), isNull(webhookAttempts.tookMs), isNull(webhookAttempts.error)),
    );
  const attempt = await tx.insert(webhookAttempts).values({ deliveryId, startedAt: now }).returning().get();
  const attempts = found.delivery.attempts + 1;
  await tx.update(webhookDeliveries).set({ attempts }).where(eq(webhookDeliveries.id, deliveryId));
  return { ...found, delivery: { ...found.delivery, attempts }, attemptId: attempt.id };
};

export type StartedAttempt = NonNullable<Awaited<ReturnType<typeof startAttempt>>>;

/** Whether the job makes the delivery's next attempt. Read it in the transaction that depends on it. */
export const hasAttempt = async (tx: Tx, deliveryId: string, jobId: string): Promise<boolean> => {
  const found = await tx
    .select({ id: webhookDeliveries.id })
    .from(webhookDeliveries)
    .where(and(eq(webhookDeliveries.id, deliveryId), isNextAttempt(jobId)))
    .get();
  return found !== undefined;
};

const isNextAttempt = (jobId: string) =>
  and(eq(webhookDeliveries.jobId, jobId), eq(webhookDeliveries.state, "pending"));

/** Stores the result of an attempt. False if the delivery was requested again and no longer waits for it. */
export const endAttempt = async (
  tx: Tx,
  { attemptId, delivery }: Pick<StartedAttempt, "attemptId" | "delivery">,
  end: Pick<AttemptRow, "tookMs" | "status" | "error" | "response">,
): Promise<boolean> => {
  await tx.update(webhookAttempts).set(end).where(eq(webhookAttempts.id, attemptId));
  return hasAttempt(tx, delivery.id, delivery.jobId ?? "");
};

export const endDelivery = (tx: Tx, id: string, state: "delivered" | "failed", now: Date) =>
  tx.update(webhookDeliveries).set({ state, endedAt: now, jobId: null }).where(eq(webhookDeliveries.id, id));

/** Gives up all pending deliveries of a webhook. */
export const failDeliveries = (tx: Tx, webhookId: string, now: Date) =>
  tx
    .update(webhookDeliveries)
    .set({ state: "failed", endedAt: now, jobId: null })
    .where(and(eq(webhookDeliveries.webhookId, webhookId), eq(webhookDeliveries.state, "pending")));

/** Allows a delivery all attempts again. `scheduleAttempt` schedules the first. */
export const resetAttempts = (tx: Tx, id: string) =>
  tx.update(webhookDeliveries).set({ attempts: 0 }).where(eq(webhookDeliveries.id, id));
