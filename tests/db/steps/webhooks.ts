import type { Db } from "../../../db/client";
import * as deliveries from "../../../db/deliveries";
import { publishRunEnd, settleJobAndPublish } from "../../../db/ended-work";
import { findJob, insertJob } from "../../../db/jobs";
import * as outages from "../../../db/outages";
import * as outbox from "../../../db/outbox";
import { findRun, insertRun } from "../../../db/runs";
import * as webhooks from "../../../db/webhooks";
import { AT, LATER, type Step, type StepGroup } from "./step";

const webhook = (tag: string): string => `wh_${tag}`;
const run = (tag: string): string => `run_${tag}_published`;
const job = (tag: string): string => `job_${tag}_published`;
const eventOf = (tag: string, n: number) => ({ type: tag, cause: `${tag} ${n}`, data: { n } });
const LONG_AGO = new Date(0);

/** Deliveries of the webhook, oldest first: the one of `publishEvent`, then the one of `insertDelivery`. */
const deliveriesOf = async (db: Db, tag: string) =>
  (await deliveries.listDeliveries(db, { webhookId: webhook(tag), limit: 10 })).toReversed();

const deliveryOf = async (db: Db, tag: string, n: number): Promise<deliveries.DeliveryRow> => {
  const found = (await deliveriesOf(db, tag))[n]?.delivery;
  // The step before this one was refused, and so is this one.
  return found ?? ({ id: "none", jobId: "none" } as deliveries.DeliveryRow);
};

const rowOf = (tag: string, name: string) => ({
  ...{ id: `${webhook(tag)}${name}`, url: "https://example.com/", description: tag, events: [`${tag}${name}`] },
  ...{ secrets: [], createdBy: "test", createdAt: AT, updatedAt: AT },
});

const outage = (tag: string, observer: string, since: Date): outages.OutageRow => ({
  ...{ subject: `node:${tag}`, observer: `${tag} ${observer}`, since },
  ...{ until: LATER, detail: { node: tag } },
});

const steps: readonly Step[] = [
  {
    name: "insertWebhook",
    write: (db, tag) =>
      db.write(async (tx) => {
        // Each tag has its own type, so that events only reach its webhook.
        await webhooks.insertWebhook(tx, rowOf(tag, ""));
        await webhooks.insertWebhook(tx, rowOf(tag, "_deleted"));
      }),
  },
  {
    name: "updateWebhook",
    write: (db, tag) => db.write((tx) => webhooks.updateWebhook(tx, webhook(tag), { updatedAt: LATER })),
  },
  { name: "recordFailure", write: (db, tag) => db.write((tx) => webhooks.recordFailure(tx, webhook(tag), AT)) },
  {
    name: "deleteWebhook",
    write: (db, tag) => db.write((tx) => webhooks.deleteWebhook(tx, `${webhook(tag)}_deleted`)),
  },
  {
    name: "publishEvent",
    write: (db, tag) =>
      db.write(async (tx) => {
        await outbox.publishEvent(tx, eventOf(tag, 0), AT);
        await outbox.publishEvent(tx, eventOf(tag, 0), LATER);
      }),
  },
  { name: "insertEvent", write: (db, tag) => db.write((tx) => outbox.insertEvent(tx, eventOf(tag, 1), LATER)) },
  {
    name: "insertDelivery",
    write: (db, tag) =>
      db.write(async (tx) => {
        const eventId = (await outbox.insertEvent(tx, eventOf(tag, 2), LATER)) ?? "";
        await outbox.insertDelivery(tx, { webhookId: webhook(tag), eventId }, LATER);
      }),
  },
  {
    name: "startAttempt",
    write: async (db, tag) => {
      const { id, jobId } = await deliveryOf(db, tag, 0);
      await db.write((tx) => deliveries.startAttempt(tx, id, jobId ?? "", AT));
    },
  },
  {
    name: "endAttempt",
    write: async (db, tag) => {
      const delivery = await deliveryOf(db, tag, 0);
      const [attempt] = await deliveries.listAttempts(db, delivery.id);
      const end = { tookMs: 5, status: 500, error: "It responded with 500.", response: null };
      await db.write((tx) => deliveries.endAttempt(tx, { attemptId: attempt?.id ?? 0, delivery }, end));
    },
  },
  {
    name: "resetAttempts",
    write: async (db, tag) => {
      const { id } = await deliveryOf(db, tag, 0);
      await db.write((tx) => deliveries.resetAttempts(tx, id));
    },
  },
  {
    name: "endDelivery",
    write: async (db, tag) => {
      const { id } = await deliveryOf(db, tag, 0);
      await db.write((tx) => deliveries.endDelivery(tx, id, "delivered", LATER));
    },
  },
  {
    name: "scheduleAttempt",
    write: async (db, tag) => {
      const { id } = await deliveryOf(db, tag, 1);
      // So far ahead that a sweep creates the job.
      await db.write((tx) => outbox.scheduleAttempt(tx, id, LATER, AT));
    },
  },
  {
    name: "scheduleWaiting",
    // The delivery above has no job.
    write: (db, tag) => db.write((tx) => outbox.scheduleWaiting(tx, webhook(tag), LATER)),
  },
  { name: "scheduleLostAttempts", write: (db) => outbox.scheduleLostAttempts(db, LATER, 10) },
  { name: "failDeliveries", write: (db, tag) => db.write((tx) => deliveries.failDeliveries(tx, webhook(tag), LATER)) },
  {
    name: "deleteOldEvents",
    write: async (db, tag) => {
      await db.write((tx) => outbox.publishEvent(tx, eventOf(tag, 3), LONG_AGO));
      await outbox.deleteOldEvents(db, new Date(1000), 10);
    },
  },
  {
    name: "startOutage",
    write: (db, tag) =>
      db.write(async (tx) => {
        await outages.startOutage(tx, outage(tag, "first", AT));
        await outages.startOutage(tx, outage(tag, "second", LATER));
      }),
  },
  { name: "renewOutages", write: (db, tag) => db.write((tx) => outages.renewOutages(tx, `${tag} second`, AT)) },
  { name: "endOutage", write: (db, tag) => db.write((tx) => outages.endOutage(tx, `node:${tag}`, `${tag} first`)) },
  {
    name: "publishRunEnd",
    write: (db, tag) =>
      db.write(async (tx) => {
        const row = { kind: "batch" as const, name: tag, pins: {}, createdBy: "test", createdAt: AT };
        await insertRun(tx, { ...row, id: run(tag), state: "completed", endedAt: LATER });
        await publishRunEnd(tx, run(tag), LATER);
      }),
  },
  {
    name: "settleJobAndPublish",
    write: (db, tag) =>
      db.write(async (tx) => {
        await insertJob(tx, { id: job(tag), kind: tag, payload: {}, createdBy: "test" }, [], AT);
        await settleJobAndPublish(tx, job(tag), { rows: 1 }, LATER);
      }),
  },
];

const stateOf = async (db: Db, tag: string) => {
  const [row, deleted] = await Promise.all(
    ["", "_deleted"].map((name) => webhooks.findWebhook(db, webhook(tag) + name)),
  );
  const listed = await deliveriesOf(db, tag);
  const seen = await outages.listExpiredOutages(db, "nobody", LATER);
  return {
    webhook: row && { updatedAt: row.updatedAt, failingSince: row.failingSince },
    isDeleted: deleted === undefined,
    deliveries: listed.map(({ delivery: { state, attempts, jobId }, attemptCount, status }) => ({
      ...{ state, attempts, jobId, attemptCount, status },
    })),
    outages: seen
      .filter(({ subject }) => subject === `node:${tag}`)
      .map(({ observer, since, until }) => ({ observer, since, until })),
    runState: (await findRun(db, run(tag)))?.state,
    jobState: (await findJob(db, job(tag)))?.state,
  };
};

const finalState = (tag: string): Awaited<ReturnType<typeof stateOf>> => ({
  webhook: { updatedAt: LATER, failingSince: AT },
  isDeleted: true,
  deliveries: [
    { state: "delivered", attempts: 0, jobId: null, attemptCount: 1, status: 500 },
    { state: "failed", attempts: 0, jobId: null, attemptCount: 0, status: null },
  ],
  outages: [{ observer: `${tag} second`, since: AT, until: AT }],
  runState: "completed",
  jobState: "completed",
});

/** Webhooks, events, deliveries and outages. */
export const webhookSteps: StepGroup = { steps, stateOf, finalState };
