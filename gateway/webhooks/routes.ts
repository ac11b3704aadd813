import { Elysia } from "elysia";
import { PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import { allows, creates } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import {
  CreateWebhook,
  DeliveryPath,
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
import type { Webhooks } from "./service";

const WEBHOOK = "/webhooks/:id";
const DELIVERY = `${WEBHOOK}/deliveries/:delivery`;

/** Webhooks and their deliveries, for admins. Only the responses of create and rotate contain a secret. */
export const webhookRoutes = ({ webhooks, idempotency }: { webhooks: Webhooks; idempotency: Idempotency }) =>
  new Elysia({ name: "webhooks.routes", prefix: "/v1", tags: ["Webhooks"] })
    .use(auth)
    .get("/webhooks", ({ query }) => webhooks.list(query), {
      query: PageQuery,
      response: { 200: WebhookPage },
      detail: { ...allows("admin"), summary: "List the webhooks, newest first" },
    })
    .post(
      "/webhooks",
      async ({ principal, exchange, body, status }) => {
        const made = await idempotency.once(exchange, principal, body, (seal) =>
          webhooks.create(principal, body, { seal }),
        );
        return status(201, made);
      },
      {
        body: CreateWebhook,
        response: { 201: WebhookWithSecret },
        detail: {
          ...allows("admin"),
          summary: "Create a webhook; its secret is shown once",
          description: "Events that happen from now on are sent to its address.",
          ...creates,
        },
      },
    )
    .get(WEBHOOK, ({ params }) => webhooks.get(params.id), {
      params: PathId,
      response: { 200: Webhook },
      detail: { ...allows("admin"), summary: "Read one webhook" },
    })
    .patch(WEBHOOK, ({ principal, params, body }) => webhooks.update(principal, params.id, body), {
      params: PathId,
      body: UpdateWebhook,
      response: { 200: Webhook },
      detail: { ...allows("admin"), summary: "Change a webhook's address, description or events, or disable it" },
    })
    .delete(
      WEBHOOK,
      async ({ principal, params }) => {
        await webhooks.remove(principal, params.id);
        return new Response(null, { status: 204 });
      },
      { params: PathId, detail: { ...allows("admin"), summary: "Delete a webhook with its deliveries" } },
    )
    .post(
      `${WEBHOOK}/rotate-secret`,
      async ({ principal, exchange, params, body, status }) => {
        const made = await idempotency.once(exchange, principal, body, (seal) =>
          webhooks.rotateSecret(principal, params.id, body, seal),
        );
        return status(201, made);
      },
      {
        params: PathId,
        body: RotateSecret,
        response: { 201: WebhookWithSecret },
        detail: {
          ...allows("admin"),
          summary: "Create a new secret; deliveries are signed with both until the grace period ends",
          ...creates,
        },
      },
    )
    .post(
      `${WEBHOOK}/test`,
      async ({ principal, params, status }) => status(202, await webhooks.test(principal, params.id)),
      {
        params: PathId,
        response: { 202: WebhookDelivery },
        detail: { ...allows("admin"), summary: "Send a test event" },
      },
    )
    .get(`${WEBHOOK}/deliveries`, ({ params, query }) => webhooks.deliveries(params.id, query), {
      params: PathId,
      query: DeliveryQuery,
      response: { 200: WebhookDeliveryPage },
      detail: {
        ...allows("admin"),
        summary: "List a webhook's deliveries, newest first",
        description: "Deliveries are kept for 30 days.",
      },
    })
    .get(DELIVERY, ({ params }) => webhooks.delivery(params.id, params.delivery), {
      params: DeliveryPath,
      response: { 200: WebhookDeliveryDetail },
      detail: { ...allows("admin"), summary: "Read a delivery: its body and its attempts" },
    })
    .post(
      `${DELIVERY}/redeliver`,
      async ({ principal, params, status }) =>
        status(202, await webhooks.redeliver(principal, params.id, params.delivery)),
      {
        params: DeliveryPath,
        response: { 202: WebhookDelivery },
        detail: { ...allows("admin"), summary: "Send an event again, with the same id" },
      },
    );
