import { type AuditActor, appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import * as deliveries from "../../db/deliveries";
import { insertDelivery, insertEvent, scheduleAttempt } from "../../db/outbox";
import * as store from "../../db/webhooks";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { newId } from "../../lib/ids";
import type { PageQuery } from "../contract";
import type { Seal } from "../idempotency/service";
import { type NumberedQuery, numberedPage, pageOf, readTimeCursor, timeCursor } from "../paging";
import { createAddressRules } from "./addresses";
import type {
  CreateWebhook,
  DeliveryQuery,
  RotateSecret,
  UpdateWebhook,
  Webhook,
  WebhookDelivery,
  WebhookDeliveryDetail,
  WebhookDeliveryPage,
  WebhookPage,
  WebhookWithSecret,
} from "./contract";
import type { PublishedEvent } from "./event-contract";
import { activeSecrets, newSecret } from "./signature";
import { toDelivery, toDeliveryDetail, toWebhook } from "./wire";

const DEFAULT_GRACE_SECONDS = 86_400;
/** More webhooks than this would make each event slow to store. */
const MAX_WEBHOOKS = 100;
/** Each of them adds a signature to every delivery. */
const MAX_SECRETS = 5;

interface IssueOptions {
  /** Id of the new webhook. A form contains it, so that submitting the form twice creates one webhook. */
  id?: string;
  seal?: Seal;
}

interface WebhookDeps {
  db: Db;
  config: Config;
  now?: () => Date;
}

/** An id for a webhook that is about to be created. */
export const newWebhookId = (): string => newId("wh");
export const WEBHOOK_ID_PATTERN = "^wh_[0-9a-f]{32}$";

export const createWebhooks = ({ db, config, now = () => new Date() }: WebhookDeps) => {
  const rules = createAddressRules({
    allowedNetworks: config.webhooks.networks,
    allowsHttp: config.webhooks.http,
  });
  const toWire = (row: store.WebhookRow): Webhook => toWebhook(row, now());

  /** Throws not_found. */
  const find = async (reads: Parameters<typeof store.findWebhook>[0], id: string): Promise<store.WebhookRow> => {
    const row = await store.findWebhook(reads, id);
    if (row) return row;
    throw new AppError("not_found", `Webhook ${id} not found.`);
  };

  /** Throws not_found. */
  const findDelivery = async (reads: Parameters<typeof store.findWebhook>[0], webhookId: string, id: string) => {
    await find(reads, webhookId);
    const found = await deliveries.findDelivery(reads, webhookId, id);
    if (found) return found;
    throw new AppError("not_found", `Delivery ${id} not found. Deliveries are kept for 30 days.`);
  };

  /** Changes a webhook and adds an entry to the audit log. */
  const change = <T>(
    actor: AuditActor,
    id: string,
    action: string,
    work: (tx: Tx, row: store.WebhookRow, at: Date) => Promise<{ result: T; detail?: Record<string, unknown> }>,
  ): Promise<T> =>
    db.write(async (tx) => {
      const at = now();
      const { result, detail } = await work(tx, await find(tx, id), at);
      await appendAudit(tx, { at, actor, action, target: id, detail });
      return result;
    });

  const updated = (tx: Tx, id: string, changes: Parameters<typeof store.updateWebhook>[2], at: Date) =>
    store.updateWebhook(tx, id, { ...changes, updatedAt: at }).then((row) => toWire(row as store.WebhookRow));

  return {
    /** Throws invalid_request for an address that is not allowed, and conflict if a webhook with the id exists. */
    async create(actor: AuditActor, request: CreateWebhook, { id = newWebhookId(), seal }: IssueOptions = {}) {
      const { url, description = "", events = null } = request;
      await rules.check(url);
      return db.write(async (tx): Promise<WebhookWithSecret> => {
        if (await store.findWebhook(tx, id)) throw new AppError("conflict", `The webhook ${id} already exists.`);
        if ((await store.countWebhooks(tx)) >= MAX_WEBHOOKS) {
          throw new AppError("conflict", `There are ${MAX_WEBHOOKS} webhooks already. Delete one first.`);
        }
        const at = now();
        const secret = newSecret();
        const settings = { url, description, events, secrets: [{ secret, expiresAt: null }] };
        const dates = { createdAt: at, updatedAt: at };
        const row = await store.insertWebhook(tx, { id, ...settings, ...dates, createdBy: actor.keyId });
        await appendAudit(tx, { at, actor, action: "webhook.create", target: id, detail: { events } });
        const issued = { ...toWire(row), secret };
        await seal?.(tx, issued);
        return issued;
      });
    },

    get: async (id: string): Promise<Webhook> => toWire(await find(db, id)),

    /** Newest first. */
    async list({ limit = 20, after }: PageQuery): Promise<WebhookPage> {
      const rows = await store.listWebhooks(db, limit + 1, readTimeCursor(after));
      return pageOf(rows, limit, toWire, ({ createdAt, id }) => timeCursor(createdAt, id));
    },

    /** A numbered page of all webhooks. A number past the end returns the last page. */
    async listNumbered({ sort, ...place }: NumberedQuery<store.WebhookSort>) {
      return numberedPage(place, await store.countWebhooks(db), async (slice) =>
        (await store.listSortedWebhooks(db, { ...slice, sort })).map(toWire),
      );
    },

    /** Disabling a webhook gives up its pending deliveries. Throws not_found, and invalid_request as `create`. */
    async update(actor: AuditActor, id: string, { enabled, ...settings }: UpdateWebhook): Promise<Webhook> {
      if (settings.url !== undefined) await rules.check(settings.url);
      return change(actor, id, "webhook.update", async (tx, row, at) => {
        const isChanged = enabled !== undefined && enabled !== (row.disabledAt === null);
        if (isChanged && !enabled) await deliveries.failDeliveries(tx, id, at);
        const state = enabled
          ? { disabledAt: null, disabledReason: null, failingSince: null }
          : { disabledAt: at, disabledReason: "admin" as const };
        const result = await updated(tx, id, { ...settings, ...(isChanged && state) }, at);
        // The address may contain a secret, so it isn't copied into the audit log.
        const fields = Object.keys(settings);
        return { result, detail: { fields, ...(enabled !== undefined && { enabled }) } };
      });
    },

    /** Deletes a webhook with its deliveries. Throws not_found. */
    remove: (actor: AuditActor, id: string): Promise<void> =>
      change(actor, id, "webhook.delete", async (tx) => {
        await store.deleteWebhook(tx, id);
        return { result: undefined };
      }),

    /**
     * Creates a new secret. Until the grace period ends, deliveries are signed with both. Throws not_found, and
     * conflict if many secrets are still valid.
     */
    rotateSecret: (
      actor: AuditActor,
      id: string,
      { grace_seconds = DEFAULT_GRACE_SECONDS }: RotateSecret,
      seal?: Seal,
    ): Promise<WebhookWithSecret> =>
      change(actor, id, "webhook.rotate", async (tx, row, at) => {
        const graceEndsAt = at.getTime() + grace_seconds * 1000;
        const kept = activeSecrets(
          row.secrets.map(({ secret, expiresAt }) => ({ secret, expiresAt: expiresAt ?? graceEndsAt })),
          at,
        );
        if (kept.length >= MAX_SECRETS) {
          throw new AppError(
            "conflict",
            `This webhook already has ${MAX_SECRETS} secrets. Wait until the older ones expire.`,
          );
        }
        const secret = newSecret();
        const secrets = [{ secret, expiresAt: null }, ...kept];
        const result = { ...(await updated(tx, id, { secrets }, at)), secret };
        await seal?.(tx, result);
        return { result, detail: { graceEndsAt: new Date(graceEndsAt).toISOString() } };
      }),

    /** Sends a test event to a webhook, whatever types it receives. Throws not_found, and conflict if it is disabled. */
    test: (actor: AuditActor, id: string): Promise<WebhookDelivery> =>
      change(actor, id, "webhook.test", async (tx, row, at) => {
        assertEnabled(row);
        const event: PublishedEvent = {
          type: "webhook.test",
          cause: `webhook.test:${id}:${crypto.randomUUID()}`,
          data: { webhook_id: id },
        };
        const eventId = (await insertEvent(tx, event, at)) ?? "";
        const deliveryId = await insertDelivery(tx, { webhookId: id, eventId }, at, { isUrgent: true });
        return { result: toDelivery(await findDelivery(tx, id, deliveryId)) };
      }),

    /** Newest first. Throws not_found. */
    async deliveries(id: string, { limit = 20, after, state }: DeliveryQuery): Promise<WebhookDeliveryPage> {
      await find(db, id);
      const filter = { webhookId: id, state, limit: limit + 1, cursor: readTimeCursor(after) };
      const rows = await deliveries.listDeliveries(db, filter);
      return pageOf(rows, limit, toDelivery, ({ delivery }) => timeCursor(delivery.createdAt, delivery.id));
    },

    /** A numbered page of a webhook's deliveries, newest first. */
    async deliveriesNumbered(id: string, { state, ...place }: DeliveryPlace) {
      const filter = { webhookId: id, state };
      return numberedPage(place, await deliveries.countDeliveries(db, filter), async (slice) =>
        (await deliveries.listDeliverySlice(db, { ...slice, ...filter })).map(toDelivery),
      );
    },

    /** A delivery with its body and its attempts. Throws not_found. */
    async delivery(webhookId: string, id: string): Promise<WebhookDeliveryDetail> {
      const found = await findDelivery(db, webhookId, id);
      const event = await deliveries.findEvent(db, found.delivery.eventId);
      if (!event) throw new AppError("not_found", `Delivery ${id} not found. Deliveries are kept for 30 days.`);
      return toDeliveryDetail(found, event, await deliveries.listAttempts(db, id));
    },

    /**
     * Sends an event again now, with the same id and with all retries, whether or not it was delivered. Throws not_found,
     * and conflict if the webhook is disabled.
     */
    redeliver: (actor: AuditActor, webhookId: string, id: string): Promise<WebhookDelivery> =>
      change(actor, webhookId, "webhook.redeliver", async (tx, row, at) => {
        await findDelivery(tx, webhookId, id);
        assertEnabled(row);
        await deliveries.resetAttempts(tx, id);
        await scheduleAttempt(tx, id, at, at, { isUrgent: true });
        return { result: toDelivery(await findDelivery(tx, webhookId, id)), detail: { delivery: id } };
      }),
  };
};

export type Webhooks = ReturnType<typeof createWebhooks>;

interface DeliveryPlace extends Pick<NumberedQuery<string>, "page" | "pageLength"> {
  state?: DeliveryQuery["state"];
}

const assertEnabled = ({ disabledAt }: store.WebhookRow): void => {
  if (disabledAt !== null) throw new AppError("conflict", "This webhook is disabled. Enable it first.");
};
