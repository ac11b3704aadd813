import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { Component, Count, Id, Nullable, OneOf, Page, PageQuery, Strict, Timestamp } from "../contract";
import { EVENT_DATA, EVENT_TYPES, type EventType } from "./event-contract";

const webhookId = Id("wh");
const url = Type.String({
  minLength: 1,
  maxLength: 2000,
  description: "An https address. The operator's settings may allow http, and private addresses",
  examples: ["https://example.com/hooks/groundwire"],
});
const description = Type.String({
  maxLength: 200,
  description: "Purpose of the webhook",
  examples: ["on-call channel"],
});
const events = Nullable(Type.Array(OneOf(EVENT_TYPES), { minItems: 1, maxItems: 50, uniqueItems: true }), {
  description: "Types of the events to send; null: every type, including those of later versions",
  examples: [["run.ended", "node.down"]],
});

/** An address that events are sent to, without its secrets. */
export const Webhook = Component("Webhook", {
  id: webhookId,
  url,
  description,
  events,
  enabled: Type.Boolean(),
  disabled_reason: Nullable(OneOf(["admin", "failures", "gone"]), {
    description:
      "admin: an admin disabled it; failures: every attempt failed for five days; gone: it responded with 410",
  }),
  disabled_at: Nullable(Timestamp),
  failing_since: Nullable(Timestamp, { description: "The first failed attempt since the last success" }),
  last_delivered_at: Nullable(Timestamp),
  old_secret_expires_at: Nullable(Timestamp, {
    description: "Until then, deliveries are also signed with earlier secrets; null: there are none",
  }),
  created_at: Timestamp,
  created_by: Type.String({ description: "Id of the key that created it" }),
  updated_at: Timestamp,
});
export type Webhook = Static<typeof Webhook>;
export const WebhookPage = Page(Webhook);
export type WebhookPage = Static<typeof WebhookPage>;

/** Response to creating a webhook or rotating its secret. No other response contains the secret. */
export const WebhookWithSecret = Component("WebhookWithSecret", {
  ...Webhook.properties,
  secret: Type.String({
    description: "Signs the deliveries. It is shown only once.",
    examples: ["whsec_2Xz7mQ9vK4nR8tB1cF5hJ6wL0pD3sG7yA9uE2iO4kM8="],
  }),
});
export type WebhookWithSecret = Static<typeof WebhookWithSecret>;

/** `POST /v1/webhooks`. */
export const CreateWebhook = Strict(
  { url, description: Type.Optional({ ...description, default: "" }), events: Type.Optional(events) },
  {
    title: "CreateWebhook",
    examples: [{ url: "https://example.com/hooks/groundwire", events: ["run.ended", "node.down"] }],
  },
);
export type CreateWebhook = Static<typeof CreateWebhook>;

/** `PATCH /v1/webhooks/{id}`: omitted fields keep their values. */
export const UpdateWebhook = Strict(
  {
    url: Type.Optional(url),
    description: Type.Optional(description),
    events: Type.Optional(events),
    enabled: Type.Optional(
      Type.Boolean({ description: "false: sends nothing, and pending deliveries fail; true: later events are sent" }),
    ),
  },
  { title: "UpdateWebhook", minProperties: 1, examples: [{ enabled: false }] },
);
export type UpdateWebhook = Static<typeof UpdateWebhook>;

/** `POST /v1/webhooks/{id}/rotate-secret`. */
export const RotateSecret = Strict(
  {
    grace_seconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 604_800,
        default: 86_400,
        description: "How long deliveries are signed with both secrets",
      }),
    ),
  },
  { title: "RotateSecret", examples: [{ grace_seconds: 86_400 }] },
);
export type RotateSecret = Static<typeof RotateSecret>;

/** The body of a delivery. */
const eventOf = (type: EventType, data: TSchema) =>
  Type.Object(
    { id: Id("evt"), type: Type.Literal(type), created_at: Timestamp, data },
    { title: `${type.replace(/(?:^|\.)(\w)/g, (_, letter: string) => letter.toUpperCase())}Event` },
  );

/** The body of a delivery, by the type of its event. Events stay readable for 30 days, so new fields are optional. */
const WebhookEvent = Type.Unsafe<{ id: string; type: string; created_at: string; data: Record<string, unknown> }>(
  Type.Union(
    Object.entries(EVENT_DATA).map(([type, data]) => eventOf(type as EventType, data)),
    { title: "WebhookEvent", description: "The body of a delivery" },
  ),
);

/** One event for one webhook. */
export const WebhookDelivery = Component("WebhookDelivery", {
  id: Id("dlv"),
  event_id: Id("evt", "Also the `webhook-id` header; the same in every attempt"),
  event_type: Type.String({ examples: ["run.ended"] }),
  state: OneOf(["pending", "delivered", "failed"]),
  attempt_count: Count("Requests so far"),
  next_attempt_at: Nullable(Timestamp),
  status: Nullable(Type.Integer(), { description: "HTTP status of the last attempt; null: no response" }),
  error: Nullable(Type.String(), { description: "Why the last attempt failed" }),
  created_at: Timestamp,
  ended_at: Nullable(Timestamp),
});
export type WebhookDelivery = Static<typeof WebhookDelivery>;
export const WebhookDeliveryPage = Page(WebhookDelivery);
export type WebhookDeliveryPage = Static<typeof WebhookDeliveryPage>;

/** One request to a webhook. */
export const WebhookAttempt = Component("WebhookAttempt", {
  started_at: Timestamp,
  duration_ms: Nullable(Type.Integer({ minimum: 0 }), { description: "null: running, or its worker died" }),
  status: Nullable(Type.Integer()),
  error: Nullable(Type.String()),
  response: Nullable(Type.String(), { description: "The beginning of the response to a failed attempt" }),
});

export const WebhookDeliveryDetail = Component("WebhookDeliveryDetail", {
  ...WebhookDelivery.properties,
  payload: WebhookEvent,
  attempts: Type.Array(WebhookAttempt, { description: "Oldest first" }),
});
export type WebhookDeliveryDetail = Static<typeof WebhookDeliveryDetail>;

export const DeliveryQuery = Type.Object({
  ...PageQuery.properties,
  state: Type.Optional(OneOf(["pending", "delivered", "failed"])),
});
export type DeliveryQuery = Static<typeof DeliveryQuery>;

export const DeliveryPath = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 100 }),
  delivery: Type.String({ minLength: 1, maxLength: 100 }),
});
