import { Elysia } from "elysia";
import { PageQuery, PathId } from "../contract";
import { auth } from "../http/auth";
import { allows, creates } from "../http/route-facts";
import type { Idempotency } from "../idempotency/service";
import { CreateKey, Key, KeyPage, KeyWithSecret, Me, RotateKey, UpdateKey } from "./contract";
import type { KeysService } from "./service";

/** Key management, and the caller's own key. Only the responses of create and rotate contain the secret. */
export const keyRoutes = ({ keys, idempotency }: { keys: KeysService; idempotency: Idempotency }) =>
  new Elysia({ name: "keys.routes", prefix: "/v1", tags: ["Keys"] })
    .use(auth)
    .get("/auth/me", ({ principal }) => keys.me(principal), {
      response: { 200: Me },
      detail: { ...allows("any"), summary: "Who the caller is and what the key may do" },
    })
    .get("/keys", ({ query }) => keys.list(query), {
      query: PageQuery,
      response: { 200: KeyPage },
      detail: { ...allows("admin"), summary: "List the keys, newest first" },
    })
    .post(
      "/keys",
      async ({ principal, exchange, body, status }) => {
        const made = await idempotency.once(exchange, principal, body, (seal) =>
          keys.create(principal, body, { seal }),
        );
        return status(201, made);
      },
      {
        body: CreateKey,
        response: { 201: KeyWithSecret },
        detail: { ...allows("admin"), summary: "Create a key; its secret is shown once", ...creates },
      },
    )
    .get("/keys/:id", ({ params }) => keys.get(params.id), {
      params: PathId,
      response: { 200: Key },
      detail: { ...allows("admin"), summary: "Read one key" },
    })
    .patch("/keys/:id", ({ principal, params, body }) => keys.update(principal, params.id, body), {
      params: PathId,
      body: UpdateKey,
      response: { 200: Key },
      detail: { ...allows("admin"), summary: "Change a key's name, role, limits, models or expiry" },
    })
    .post(
      "/keys/:id/rotate",
      async ({ principal, exchange, params, body, status }) => {
        const made = await idempotency.once(exchange, principal, body, (seal) =>
          keys.rotate(principal, params.id, body, { seal }),
        );
        return status(201, made);
      },
      {
        params: PathId,
        body: RotateKey,
        response: { 201: KeyWithSecret },
        detail: {
          ...allows("admin"),
          summary: "Rotate a key; both keys work until the grace period ends",
          ...creates,
        },
      },
    )
    .delete("/keys/:id", ({ principal, params }) => keys.revoke(principal, params.id), {
      params: PathId,
      response: { 200: Key },
      detail: { ...allows("admin"), summary: "Revoke a key permanently and end its sessions" },
    });
