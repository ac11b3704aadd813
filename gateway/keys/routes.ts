import { Elysia } from "elysia";
import { ErrorEnvelope, PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import type { Principal } from "../principal";
import { CreateKey, Key, KeyPage, KeyWithSecret, Me, RotateKey, UpdateKey } from "./contract";
import type { IssuedKey, KeyRecord, KeysService } from "./service";
import { fromCreate, fromUpdate, toWire } from "./wire";

const DEFAULT_GRACE_SECONDS = 3600;

/** Keys, and the question "who am I". The secret stands in the answers of create and rotate and nowhere else. */
export const keyRoutes = ({ keys }: { keys: KeysService }) =>
  new Elysia({ name: "keys.routes", prefix: "/v1", tags: ["Keys"] })
    .use(auth)
    .get("/auth/me", async ({ principal }) => toMe(principal, await keys.get(principal.keyId)), {
      response: { 200: Me, default: ErrorEnvelope },
      detail: { summary: "Who the caller is and what the key may do" },
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
        detail: { summary: "List the keys, newest first" },
      },
    )
    .post(
      "/keys",
      async ({ principal, body, status }) => status(201, withSecret(await keys.create(principal, fromCreate(body)))),
      {
        parse: "json",
        body: CreateKey,
        response: { 201: KeyWithSecret, default: ErrorEnvelope },
        detail: { summary: "Create a key; its secret is shown once" },
      },
    )
    .get("/keys/:id", async ({ params }) => toWire(await keys.get(params.id)), {
      params: PathId,
      response: { 200: Key, default: ErrorEnvelope },
      detail: { summary: "Read one key" },
    })
    .patch(
      "/keys/:id",
      async ({ principal, params, body }) => toWire(await keys.update(principal, params.id, fromUpdate(body))),
      {
        parse: "json",
        params: PathId,
        body: UpdateKey,
        response: { 200: Key, default: ErrorEnvelope },
        detail: { summary: "Change name, role, limits, models or expiry of a key" },
      },
    )
    .post(
      "/keys/:id/rotate",
      async ({ principal, params, body, status }) => {
        const graceSeconds = body.grace_seconds ?? DEFAULT_GRACE_SECONDS;
        return status(201, withSecret(await keys.rotate(principal, params.id, graceSeconds * 1000)));
      },
      {
        parse: "json",
        params: PathId,
        body: RotateKey,
        response: { 201: KeyWithSecret, default: ErrorEnvelope },
        detail: { summary: "Issue a successor; both keys work until the grace time is over" },
      },
    )
    .delete("/keys/:id", async ({ principal, params }) => toWire(await keys.revoke(principal, params.id)), {
      params: PathId,
      response: { 200: Key, default: ErrorEnvelope },
      detail: { summary: "Revoke a key for good; its sessions end with it" },
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
