import type { AttemptRow, EventRow, ListedDelivery } from "../../db/deliveries";
import type { WebhookRow } from "../../db/webhooks";
import { fromRow } from "../wire";
import { Webhook, WebhookAttempt, WebhookDelivery, type WebhookDeliveryDetail } from "./contract";

/** A webhook at `now`, without its secrets. */
export const toWebhook = (row: WebhookRow, now: Date): Webhook => {
  const old = row.secrets.flatMap(({ expiresAt }) =>
    expiresAt !== null && expiresAt > now.getTime() ? expiresAt : [],
  );
  return fromRow(Webhook, row, {
    events: row.events as Webhook["events"],
    enabled: row.disabledAt === null,
    old_secret_expires_at: old.length > 0 ? new Date(Math.max(...old)).toISOString() : null,
  });
};

/** The body of a delivery. */
export const toPayload = ({ id, type, createdAt, data }: EventRow) => ({
  ...{ id, type },
  created_at: createdAt.toISOString(),
  data,
});

export const toDelivery = ({ delivery, eventType, attemptCount, status, error }: ListedDelivery): WebhookDelivery =>
  fromRow(WebhookDelivery, delivery, {
    event_type: eventType,
    attempt_count: attemptCount,
    next_attempt_at: delivery.state === "pending" ? delivery.dueAt.toISOString() : null,
    status,
    error,
  });

export const toDeliveryDetail = (
  listed: ListedDelivery,
  event: EventRow,
  attempts: readonly AttemptRow[],
): WebhookDeliveryDetail => ({
  ...toDelivery(listed),
  payload: toPayload(event),
  attempts: attempts.map((row) => fromRow(WebhookAttempt, row, { duration_ms: row.tookMs })),
});
