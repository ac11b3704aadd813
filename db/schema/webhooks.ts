import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import { createdAt, json, partOf, time } from "./columns";

/** Kind of the jobs that deliver events; see `jobs/webhook-delivery.ts`. */
export const DELIVERY_KIND = "webhook-delivery";

/**
 * How many deliveries of a webhook may have a job at the same time, so that a webhook that doesn't respond for hours
 * can't fill the queue. The others get a job when an attempt ends, or in a sweep.
 */
export const MAX_SCHEDULED = 32;

/** The JSON input of such a job. */
export interface DeliveryPayload {
  deliveryId: string;
  webhookId: string;
}

/** A secret that signs deliveries. */
export interface WebhookSecret {
  /** `whsec_…`. */
  secret: string;
  /** Milliseconds since 1970; null: the current secret. */
  expiresAt: number | null;
}

/** Addresses that events are sent to. */
export const webhooks = sqliteTable(
  "webhooks",
  {
    id: text().primaryKey(),
    url: text().notNull(),
    description: text().notNull(),
    /** Types of the events that it receives; null: every type. */
    events: json<string[]>(),
    /** Newest first. They are stored as they are, because signing needs them. */
    secrets: json<WebhookSecret[]>().notNull(),
    /** Why the webhook is disabled; null: it is enabled. */
    disabledReason: text({ enum: ["admin", "failures", "gone"] }),
    disabledAt: time(),
    /** The first failed attempt since the last success. */
    failingSince: time(),
    lastDeliveredAt: time(),
    createdBy: text().notNull(),
    createdAt: createdAt(),
    updatedAt: time().notNull(),
  },
  (table) => [index("webhooks_by_age").on(table.createdAt, table.id)],
);

/** Events that webhooks receive, each written in the transaction of its cause. */
export const webhookEvents = sqliteTable(
  "webhook_events",
  {
    id: text().primaryKey(),
    /** Identifies what happened, so that an event that several processes notice is stored once. */
    cause: text().notNull(),
    type: text().notNull(),
    data: json<Record<string, unknown>>().notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    uniqueIndex("webhook_events_by_cause").on(table.cause),
    index("webhook_events_by_age").on(table.createdAt),
  ],
);

/** One event for one webhook. */
export const webhookDeliveries = sqliteTable(
  "webhook_deliveries",
  {
    id: text().primaryKey(),
    webhookId: partOf(() => webhooks.id),
    eventId: partOf(() => webhookEvents.id),
    state: text({ enum: ["pending", "delivered", "failed"] }).notNull(),
    /** Attempts since the delivery was last requested. */
    attempts: integer().notNull().default(0),
    /** When the next attempt is due. */
    dueAt: time().notNull(),
    /** The job that makes the next attempt. No other job may change the state. null: it is created before it is due. */
    jobId: text(),
    createdAt: createdAt(),
    endedAt: time(),
  },
  (table) => [
    uniqueIndex("webhook_deliveries_by_event").on(table.eventId, table.webhookId),
    index("webhook_deliveries_by_age").on(table.webhookId, table.createdAt, table.id),
    index("webhook_deliveries_by_due").on(table.state, table.dueAt),
  ],
);

/** One request to a webhook. */
export const webhookAttempts = sqliteTable(
  "webhook_attempts",
  {
    id: integer().primaryKey({ autoIncrement: true }),
    deliveryId: partOf(() => webhookDeliveries.id),
    startedAt: time().notNull(),
    /** null: it is running, or its worker died. */
    tookMs: integer(),
    /** HTTP status; null without a response. */
    status: integer(),
    /** Why it failed. */
    error: text(),
    /** The beginning of the response to a failed attempt. */
    response: text(),
  },
  (table) => [index("webhook_attempts_by_delivery").on(table.deliveryId, table.id)],
);

/** What gateways currently see: a node that is down, or a degradation. One row per gateway, renewed while it lasts. */
export const outages = sqliteTable(
  "outages",
  {
    /** `node:<id>` or `degradation:<code>`. */
    subject: text().notNull(),
    /** The gateway that sees it; a new id at each start. */
    observer: text().notNull(),
    /** When the first gateway saw it; the same for all observers. */
    since: time().notNull(),
    /** Without a renewal, the gateway is considered dead at this time. */
    until: time().notNull(),
    detail: json<Record<string, unknown>>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.subject, table.observer] })],
);
