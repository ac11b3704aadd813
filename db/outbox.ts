import { and, eq, inArray, isNotNull, isNull, lt, lte, ne, notInArray, or, sql } from "drizzle-orm";
import { newId } from "../lib/ids";
import type { Db, Reads, Tx } from "./client";
import { insertJob } from "./jobs";
import { jobs, webhookDeliveries, webhookEvents, webhooks } from "./schema";
import { DELIVERY_KIND, type DeliveryPayload, MAX_SCHEDULED } from "./schema/webhooks";

/** A job that is due later than this is created by `scheduleLostAttempts`, because tasks are never due far ahead. */
const MAX_AHEAD_MS = 5 * 60_000;
/** `createdBy` of the jobs. They call no gateway, so they work for no key. */
const CREATOR = "webhooks";

/** An event to store. `cause` identifies what happened: a second event with the same cause is ignored. */
export interface NewEvent {
  type: string;
  cause: string;
  data: Record<string, unknown>;
}

/**
 * Stores an event and delivers it to every enabled webhook that receives its type. Call it in the transaction of the
 * change that causes the event, so that both are stored or neither. False if the event was stored before.
 */
export const publishEvent = async (tx: Tx, event: NewEvent, now: Date): Promise<boolean> => {
  const eventId = await insertEvent(tx, event, now);
  if (eventId === undefined) return false;
  const receivesType = sql`EXISTS (SELECT 1 FROM json_each(${webhooks.events}) WHERE value = ${event.type})`;
  const receivers = await tx
    .select({ id: webhooks.id })
    .from(webhooks)
    .where(and(isNull(webhooks.disabledAt), or(isNull(webhooks.events), receivesType)));
  for (const { id } of receivers) await insertDelivery(tx, { webhookId: id, eventId }, now);
  return true;
};

/** Stores an event that `insertDelivery` sends to one webhook. Returns its id; undefined if it was stored before. */
export const insertEvent = async (tx: Tx, event: NewEvent, now: Date): Promise<string | undefined> => {
  const row = await tx
    .insert(webhookEvents)
    .values({ ...event, id: newId("evt"), createdAt: now })
    .onConflictDoNothing({ target: webhookEvents.cause })
    .returning({ id: webhookEvents.id })
    .get();
  return row?.id;
};

/** `isUrgent`: a person is waiting, so the attempt is made even if the webhook has `MAX_SCHEDULED` others. */
interface Urgency {
  isUrgent?: boolean;
}

/** Creates a delivery that is due now, and returns its id. */
export const insertDelivery = async (
  tx: Tx,
  { webhookId, eventId }: { webhookId: string; eventId: string },
  now: Date,
  urgency: Urgency = {},
): Promise<string> => {
  const id = newId("dlv");
  await tx.insert(webhookDeliveries).values({ id, webhookId, eventId, state: "pending", dueAt: now, createdAt: now });
  await scheduleAttempt(tx, id, now, now, urgency);
  return id;
};

/** A pending delivery whose job hasn't ended. */
const isScheduled = and(eq(webhookDeliveries.state, "pending"), isNull(jobs.endedAt));
const selectScheduled = (db: Reads) =>
  db
    .select({ webhookId: webhookDeliveries.webhookId })
    .from(webhookDeliveries)
    .innerJoin(jobs, eq(jobs.id, webhookDeliveries.jobId));

/** Whether `MAX_SCHEDULED` other deliveries of the same webhook have a job. */
const isFull = async (tx: Tx, deliveryId: string): Promise<boolean> => {
  const { webhookId, id } = webhookDeliveries;
  const ofWebhook = sql`${webhookId} = (SELECT webhook_id FROM webhook_deliveries WHERE id = ${deliveryId})`;
  const others = await selectScheduled(tx)
    .where(and(isScheduled, ofWebhook, ne(id, deliveryId)))
    .limit(MAX_SCHEDULED);
  return others.length === MAX_SCHEDULED;
};

const fullWebhooks = (db: Reads) =>
  selectScheduled(db).where(isScheduled).groupBy(webhookDeliveries.webhookId).having(sql`COUNT(*) >= ${MAX_SCHEDULED}`);

/** Schedules the next attempt of a delivery. An attempt that is already scheduled is replaced. */
export const scheduleAttempt = async (
  tx: Tx,
  deliveryId: string,
  dueAt: Date,
  now: Date,
  { isUrgent = false }: Urgency = {},
): Promise<void> => {
  const isSoon = dueAt.getTime() - now.getTime() <= MAX_AHEAD_MS;
  const jobId = isSoon && (isUrgent || !(await isFull(tx, deliveryId))) ? newId("job") : null;
  const scheduled = await tx
    .update(webhookDeliveries)
    .set({ state: "pending", dueAt, jobId, endedAt: null })
    .where(eq(webhookDeliveries.id, deliveryId))
    .returning({ webhookId: webhookDeliveries.webhookId })
    .get();
  if (!scheduled || jobId === null) return;
  const payload: DeliveryPayload = { deliveryId, ...scheduled };
  await insertJob(tx, { id: jobId, kind: DELIVERY_KIND, payload: { ...payload }, createdBy: CREATOR }, [null], dueAt);
};

/** A delivery has no job yet, or its job has ended without an attempt. */
const hasNoJob = or(isNull(jobs.id), isNotNull(jobs.endedAt));

/** Creates a job for the webhook's oldest delivery without one. Call it when an attempt has ended. */
export const scheduleWaiting = async (tx: Tx, webhookId: string, now: Date): Promise<void> => {
  const { dueAt, jobId, state, id } = webhookDeliveries;
  const waiting = await tx
    .select({ id, dueAt })
    .from(webhookDeliveries)
    .leftJoin(jobs, eq(jobs.id, jobId))
    .where(and(eq(webhookDeliveries.webhookId, webhookId), eq(state, "pending"), hasNoJob, lte(dueAt, now)))
    .orderBy(dueAt)
    .limit(1)
    .get();
  if (waiting) await scheduleAttempt(tx, waiting.id, waiting.dueAt, now);
};

/** Pending deliveries that are due soon but have no job, oldest first, except those of full webhooks. */
const listLostAttempts = (db: Reads, now: Date, limit: number) =>
  db
    .select({ id: webhookDeliveries.id, dueAt: webhookDeliveries.dueAt })
    .from(webhookDeliveries)
    .leftJoin(jobs, eq(jobs.id, webhookDeliveries.jobId))
    .where(
      and(
        eq(webhookDeliveries.state, "pending"),
        lte(webhookDeliveries.dueAt, new Date(now.getTime() + MAX_AHEAD_MS)),
        hasNoJob,
        notInArray(webhookDeliveries.webhookId, fullWebhooks(db)),
      ),
    )
    .orderBy(webhookDeliveries.dueAt)
    .limit(limit);

/** Whether `scheduleLostAttempts` has anything to do. Only reads, so it doesn't block other processes. */
export const hasLostAttempts = async (db: Reads, now: Date): Promise<boolean> =>
  (await listLostAttempts(db, now, 1)).length > 0;

/** Creates the jobs of up to `limit` deliveries that are due soon and have none. */
export const scheduleLostAttempts = (db: Pick<Db, "write">, now: Date, limit: number): Promise<void> =>
  db.write(async (tx) => {
    for (const { id, dueAt } of await listLostAttempts(tx, now, limit)) await scheduleAttempt(tx, id, dueAt, now);
  });

const listOldEvents = async (db: Reads, before: Date, limit: number): Promise<string[]> => {
  const rows = await db
    .select({ id: webhookEvents.id })
    .from(webhookEvents)
    .where(lt(webhookEvents.createdAt, before))
    .limit(limit);
  return rows.map(({ id }) => id);
};

/** Whether `deleteOldEvents` has anything to do. Only reads, so it doesn't block other processes. */
export const hasOldEvents = async (db: Reads, before: Date): Promise<boolean> =>
  (await listOldEvents(db, before, 1)).length > 0;

/** Deletes up to `limit` events from before `before`, with their deliveries. */
export const deleteOldEvents = (db: Pick<Db, "write">, before: Date, limit: number): Promise<void> =>
  db.write(async (tx) => {
    await tx.delete(webhookEvents).where(inArray(webhookEvents.id, await listOldEvents(tx, before, limit)));
  });
