import { Elysia } from "elysia";
import { ErrorEnvelope, PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import { allows, creates } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import type { Principal } from "../principal";
import { CreateKey, Key, KeyPage, KeyWithSecret, Me, RotateKey, UpdateKey } from "./contract";
import type { IssuedKey, KeyRecord, KeysService } from "./service";
import { fromCreate, fromUpdate, toWire } from "./wire";

const DEFAULT_GRACE_SECONDS = 3600;

/** Keys, and the question "who am I". The secret stands in the answers of create and rotate and nowhere else. */
export const keyRoutes = ({ keys, idempotency }: { keys: KeysService; idempotency: Idempotency }) =>
  new Elysia({ name: "keys.routes", prefix: "/v1", tags: ["Keys"] })
    .use(auth)
    .get("/auth/me", async ({ principal }) => toMe(principal, await keys.get(principal.keyId)), {
      response: { 200: Me, default: ErrorEnvelope },
      detail: { ...allows("any"), summary: "Who the caller is and what the key may do" },
    })
    .get(
      "/keys",
      async ({ query: { limit = 20, after } }) => {
        const page = await keys.list({ limit, after });
        const next = page.hasMore ? page.keys.at(-1) : undefined;
        return { data: page.keys.map(toWire), has_more: page.hasMore, next_cursor: next?.id ?? null };
      },
      {
        query: PageQuery,
        response: { 200: KeyPage, default: ErrorEnvelope },
        detail: { ...allows("admin"), summary: "List the keys, newest first" },
      },
    )
    .post(
      "/keys",
      async ({ principal, exchange, body, status }) => {
        const made = await idempotency.once(exchange, principal, body, async (seal) =>
          withSecret(
            await keys.create(principal, fromCreate(body), { onIssued: (tx, issued) => seal(tx, withSecret(issued)) }),
          ),
        );
        return status(201, made);
      },
      {
        body: CreateKey,
        response: { 201: KeyWithSecret, default: ErrorEnvelope },
        detail: { ...allows("admin"), summary: "Create a key; its secret is shown once", ...creates },
      },
    )
    .get("/keys/:id", async ({ params }) => toWire(await keys.get(params.id)), {
      params: PathId,
      response: { 200: Key, default: ErrorEnvelope },
      detail: { ...allows("admin"), summary: "Read one key" },
    })
    .patch(
      "/keys/:id",
      async ({ principal, params, body }) => toWire(await keys.update(principal, params.id, fromUpdate(body))),
      {
        params: PathId,
        body: UpdateKey,
        response: { 200: Key, default: ErrorEnvelope },
        detail: { ...allows("admin"), summary: "Change name, role, limits, models or expiry of a key" },
      },
    )
    .post(
      "/keys/:id/rotate",
      async ({ principal, exchange, params, body, status }) => {
        const graceMs = (body.grace_seconds ?? DEFAULT_GRACE_SECONDS) * 1000;
        const made = await idempotency.once(exchange, principal, body, async (seal) =>
          withSecret(
            await keys.rotate(principal, params.id, graceMs, {
              onIssued: (tx, issued) => seal(tx, withSecret(issued)),
            }),
          ),
        );
        return status(201, made);
      },
      {
        params: PathId,
        body: RotateKey,
        response: { 201: KeyWithSecret, default: ErrorEnvelope },
        detail: {
          ...allows("admin"),
          summary: "Rotate a key; both keys work until the grace period ends",
          ...creates,
        },
      },
    )
    .delete("/keys/:id", async ({ principal, params }) => toWire(await keys.revoke(principal, params.id)), {
      params: PathId,
      response: { 200: Key, default: ErrorEnvelope },
      detail: { ...allows("admin"), summary: "Revoke a key permanently and end its sessions" },
    });

const withSecret = ({ record, key }: IssuedKey): KeyWithSecret => ({ ...toWire(record), key });

const toMe = (principal: Principal, key: KeyRecord): Me => {
  const { allowed_models, allowed_indexes, limits, content_logging, expires_at } = toWire(key);
  return {
    key_id: key.id,
    name: key.name,
    role: key.role,
    via: principal.via,
    allowed_models,
    allowed_indexes,
    limits,
    content_logging,
    expires_at,
  };
};
