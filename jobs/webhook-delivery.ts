import type { Db, Tx } from "../db/client";
import {
  endAttempt,
  endDelivery,
  failDeliveries,
  hasAttempt,
  type StartedAttempt,
  startAttempt,
} from "../db/deliveries";
import type { ClaimedTask } from "../db/jobs";
import {
  deleteOldEvents,
  hasLostAttempts,
  hasOldEvents,
  publishEvent,
  scheduleAttempt,
  scheduleLostAttempts,
  scheduleWaiting,
} from "../db/outbox";
import { DELIVERY_KIND, type DeliveryPayload } from "../db/schema/webhooks";
import { recordFailure, updateWebhook } from "../db/webhooks";
import { DISABLED_AFTER_MS, MAX_ATTEMPTS, pauseAfter } from "../gateway/webhooks/retry-schedule";
import type { Send, SendOutcome, WebhookRequest } from "../gateway/webhooks/send";
import { activeSecrets, signatureOf } from "../gateway/webhooks/signature";
import { toPayload } from "../gateway/webhooks/wire";
import type { Log } from "../lib/log";
import { version } from "../package.json";
import type { JobHandler, TaskContext } from "./handler";

/** Attempts that a worker makes in parallel. */
const CONCURRENCY = 32;
/** How many of them may be for one webhook, so that one that doesn't respond can't hold up the others. */
const MAX_PER_WEBHOOK = 8;
/** Pause of an attempt that has to wait for others of its webhook, which take 15 s if it doesn't respond. */
const WAIT_MS = 5000;
/** How long events and their deliveries are kept. */
const KEEP_MS = 30 * 86_400_000;
const MAX_PER_SWEEP = 500;

interface DeliveryDeps {
  db: Db;
  send: Send;
  log: Pick<Log, "info" | "warn">;
  now?: () => Date;
  random?: () => number;
}

/**
 * Makes one attempt to deliver an event. The attempt is stored before the request is sent, so an attempt whose worker
 * died counts too: a delivery is repeated, but never lost, and an attempt that kills workers isn't repeated forever.
 */
export const webhookDelivery = ({ db, send, log, now = () => new Date(), random }: DeliveryDeps): JobHandler => {
  /** Attempts that this worker is making, by webhook. */
  const running = new Map<string, number>();

  const finishAttempt = async (tx: Tx, started: StartedAttempt, outcome: SendOutcome): Promise<void> => {
    const { delivery, webhook } = started;
    const { retryAfterMs, ...end } = outcome;
    const isCurrent = await endAttempt(tx, started, end);
    const at = now();
    if (outcome.error === null) {
      await updateWebhook(tx, webhook.id, { failingSince: null, lastDeliveredAt: at });
      if (isCurrent) await endDelivery(tx, delivery.id, "delivered", at);
      return scheduleWaiting(tx, webhook.id, at);
    }
    const failingSince = await recordFailure(tx, webhook.id, at);
    if (!isCurrent) return;
    const hasFailedLong = at.getTime() - failingSince.getTime() >= DISABLED_AFTER_MS;
    if (outcome.status === 410) return disable(tx, started, "gone", failingSince);
    if (hasFailedLong) return disable(tx, started, "failures", failingSince);
    const pauseMs = pauseAfter(delivery.attempts, retryAfterMs, random);
    if (pauseMs === undefined) await endDelivery(tx, delivery.id, "failed", at);
    else await scheduleAttempt(tx, delivery.id, new Date(at.getTime() + pauseMs), at);
    await scheduleWaiting(tx, webhook.id, at);
  };

  const disable = async (
    tx: Tx,
    { webhook: { id, description } }: StartedAttempt,
    reason: "gone" | "failures",
    failingSince: Date,
  ): Promise<void> => {
    const at = now();
    await updateWebhook(tx, id, { disabledAt: at, disabledReason: reason, updatedAt: at });
    await failDeliveries(tx, id, at);
    const data = { webhook_id: id, description, reason, failing_since: failingSince.toISOString() };
    await publishEvent(tx, { type: "webhook.disabled", cause: `webhook.disabled:${id}:${at.getTime()}`, data }, at);
  };

  const attempt = async ({ deliveryId }: DeliveryPayload, task: ClaimedTask, context: TaskContext): Promise<void> => {
    const started = await context.write((tx) => startAttempt(tx, deliveryId, task.jobId, now()));
    if (!started) return context.finish(async () => ({}));
    const { delivery, webhook } = started;
    if (delivery.attempts > MAX_ATTEMPTS) {
      return context.finish(async (tx) => {
        await finishAttempt(tx, started, NOT_SENT);
        return {};
      });
    }
    const outcome = await send(requestOf(started, now()), context.signal);
    // Another attempt follows, after this worker's restart.
    context.signal.throwIfAborted();
    const fields = { webhook: webhook.id, delivery: deliveryId, attempt: delivery.attempts, status: outcome.status };
    if (outcome.error === null) log.info(fields, "an event was delivered");
    else log.warn({ ...fields, reason: outcome.error }, "an event could not be delivered");
    await context.finish(async (tx) => {
      await finishAttempt(tx, started, outcome);
      return {};
    });
  };

  /** Waits for other attempts of the webhook to end. Nothing is sent, so this doesn't count as an attempt. */
  const postpone = async (tx: Tx, deliveryId: string, jobId: string): Promise<Record<string, never>> => {
    const at = now();
    if (await hasAttempt(tx, deliveryId, jobId)) {
      await scheduleAttempt(tx, deliveryId, new Date(at.getTime() + WAIT_MS), at);
    }
    return {};
  };

  return {
    kind: DELIVERY_KIND,
    concurrency: CONCURRENCY,
    isolatesPoison: true,

    async run(task, context) {
      const payload = task.job.payload as unknown as DeliveryPayload;
      const { deliveryId, webhookId } = payload;
      const others = running.get(webhookId) ?? 0;
      if (others >= MAX_PER_WEBHOOK) return context.finish((tx) => postpone(tx, deliveryId, task.jobId));
      running.set(webhookId, others + 1);
      try {
        await attempt(payload, task, context);
      } finally {
        const left = (running.get(webhookId) ?? 1) - 1;
        if (left > 0) running.set(webhookId, left);
        else running.delete(webhookId);
      }
    },

    async sweep() {
      const at = now();
      const before = new Date(at.getTime() - KEEP_MS);
      if (await hasLostAttempts(db, at)) await scheduleLostAttempts(db, at, MAX_PER_SWEEP);
      if (await hasOldEvents(db, before)) await deleteOldEvents(db, before, MAX_PER_SWEEP);
    },
  };
};

const NOT_SENT: SendOutcome = {
  status: null,
  error: "Not sent: workers died during the earlier attempts.",
  response: null,
  retryAfterMs: null,
  tookMs: 0,
};

/** The headers are those of the Standard Webhooks specification. */
const requestOf = ({ event, webhook }: StartedAttempt, at: Date): WebhookRequest => {
  const body = JSON.stringify(toPayload(event));
  const timestamp = Math.floor(at.getTime() / 1000);
  const secrets = activeSecrets(webhook.secrets, at);
  return {
    url: webhook.url,
    body,
    headers: {
      "content-type": "application/json",
      "user-agent": `Groundwire/${version}`,
      "webhook-id": event.id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signatureOf(secrets, { id: event.id, timestamp, body }),
    },
  };
};
