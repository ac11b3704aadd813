import { Elysia } from "elysia";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import { ErrorEnvelope } from "../contract";
import { auth } from "../http/auth";
import { allows, dropsNul, fails } from "../http/route-facts";
import type { Cache } from "../ports/cache";
import {
  CacheInvalidation,
  CacheKeyParams,
  CacheNamespaceRequest,
  CacheNamespaceSettings,
  CacheStatistics,
  InvalidateCache,
  ShareCache,
} from "./contract";
import type { NamespaceSettings, Namespaces } from "./namespaces";
import type { AnswerCacheService } from "./service";
import { cacheStatistics } from "./statistics";

interface CacheRouteDeps {
  answers: AnswerCacheService;
  cache: Cache;
  namespaces: Namespaces;
  config: Config;
}

const toWire = ({ name, enabled, keyIds }: NamespaceSettings): CacheNamespaceSettings => ({
  name,
  enabled,
  keys: keyIds,
});

/** Admin routes of the answer cache. */
export const cacheRoutes = (deps: CacheRouteDeps) => {
  const { answers, namespaces } = deps;

  /** The contract ensures that there is exactly one field. Its name and value form the tag, with two exceptions. */
  const invalidate = async ({ entry, tag, ...byTag }: InvalidateCache): Promise<CacheInvalidation> => {
    if (entry !== undefined) return { deleted: (await answers.deleteEntry(entry)) ? 1 : 0 };
    const [named] = Object.entries(byTag);
    return { deleted: await answers.invalidate(tag ?? named?.join(":") ?? "") };
  };

  return new Elysia({ name: "cache.routes", prefix: "/v1/cache", tags: ["Cache"] })
    .use(auth)
    .get("", () => cacheStatistics(deps), {
      response: { 200: CacheStatistics, default: ErrorEnvelope },
      detail: { ...allows("admin"), ...dropsNul, summary: "Hits, misses, layers and namespaces of the answer cache" },
    })
    .post("/invalidate", ({ body }) => invalidate(body), {
      body: InvalidateCache,
      response: { 200: CacheInvalidation, default: ErrorEnvelope },
      detail: {
        ...allows("admin"),
        summary: "Delete all entries of a model, prompt, index, evaluator, namespace or tag",
      },
    })
    .delete(
      "/entries/:key",
      async ({ params: { key } }) => {
        if (await answers.deleteEntry(key)) return { deleted: 1 };
        throw new AppError("not_found", `There is no entry ${key}. It may have expired.`, { param: "key" });
      },
      {
        params: CacheKeyParams,
        response: { 200: CacheInvalidation, default: ErrorEnvelope },
        detail: { ...allows("admin"), summary: "Delete one entry", ...fails(404) },
      },
    )
    .post(
      "/disable",
      async ({ principal, body }) => toWire(await namespaces.setEnabled(principal.keyId, body.namespace, false)),
      {
        body: CacheNamespaceRequest,
        response: { 200: CacheNamespaceSettings, default: ErrorEnvelope },
        detail: {
          ...allows("admin"),
          summary: "Disable a namespace; its entries stay until they expire",
        },
      },
    )
    .post(
      "/enable",
      async ({ principal, body }) => toWire(await namespaces.setEnabled(principal.keyId, body.namespace, true)),
      {
        body: CacheNamespaceRequest,
        response: { 200: CacheNamespaceSettings, default: ErrorEnvelope },
        detail: { ...allows("admin"), summary: "Enable a namespace again" },
      },
    )
    .post(
      "/share",
      async ({ principal, body }) => toWire(await namespaces.share(principal.keyId, body.namespace, body.keys)),
      {
        body: ShareCache,
        response: { 200: CacheNamespaceSettings, default: ErrorEnvelope },
        detail: {
          ...allows("admin"),
          summary: "Set the keys that share cached answers with each other",
          ...fails(404, 409),
        },
      },
    );
};
