import { Elysia } from "elysia";
import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Audit } from "../audit/service";
import { auth } from "../http/auth";
import { allows, dropsNul, fails } from "../http/route-facts";
import type { Cache } from "../ports/cache";
import type { Principal } from "../principal";
import {
  CacheInvalidation,
  CacheKeyParams,
  CacheNamespaceRequest,
  CacheNamespaceSettings,
  CacheStatistics,
  InvalidateCache,
  ShareCache,
} from "./contract";
import type { Namespaces } from "./namespaces";
import type { AnswerCache } from "./service";
import { cacheStatistics } from "./statistics";

interface CacheRouteDeps {
  answers: AnswerCache;
  cache: Cache;
  namespaces: Namespaces;
  audit: Audit;
  config: Config;
}

/** Admin routes of the answer cache. */
export const cacheRoutes = ({ answers, cache, namespaces, audit, config }: CacheRouteDeps) => {
  const statistics = async () =>
    cacheStatistics(answers.counts, answers.inFlight(), await cache.stats(), namespaces.list(), config.cache);

  /**
   * The contract ensures that exactly one field is set. Its name and value form the tag, except for `entry` and `tag`.
   */
  const invalidate = async (principal: Principal, request: InvalidateCache): Promise<CacheInvalidation> => {
    const { entry, tag, ...byTag } = request;
    const [named] = Object.entries(byTag);
    const target = entry ?? tag ?? named?.join(":") ?? "";
    const deleted = entry === undefined ? await answers.invalidate(target) : Number(await answers.deleteEntry(entry));
    await audit.record(principal, "cache.invalidate", target, { deleted });
    return { deleted };
  };

  return new Elysia({ name: "cache.routes", prefix: "/v1/cache", tags: ["Cache"] })
    .use(auth)
    .get("", statistics, {
      response: { 200: CacheStatistics },
      detail: { ...allows("admin"), ...dropsNul, summary: "Hits, misses, layers and namespaces of the answer cache" },
    })
    .post("/invalidate", ({ principal, body }) => invalidate(principal, body), {
      body: InvalidateCache,
      response: { 200: CacheInvalidation },
      detail: {
        ...allows("admin"),
        summary: "Delete all entries of a model, prompt, index, evaluator, namespace or tag",
      },
    })
    .delete(
      "/entries/:key",
      async ({ principal, params: { key } }) => {
        if (await answers.deleteEntry(key)) {
          await audit.record(principal, "cache.invalidate", key, { deleted: 1 });
          return { deleted: 1 };
        }
        throw new AppError("not_found", `Entry ${key} not found. It may have expired.`, { param: "key" });
      },
      {
        params: CacheKeyParams,
        response: { 200: CacheInvalidation },
        detail: { ...allows("admin"), summary: "Delete one entry", ...fails(404) },
      },
    )
    .post("/disable", ({ principal, body }) => namespaces.setEnabled(principal, body.namespace, false), {
      body: CacheNamespaceRequest,
      response: { 200: CacheNamespaceSettings },
      detail: {
        ...allows("admin"),
        summary: "Disable a namespace; its entries stay until they expire",
        ...fails(404),
      },
    })
    .post("/enable", ({ principal, body }) => namespaces.setEnabled(principal, body.namespace, true), {
      body: CacheNamespaceRequest,
      response: { 200: CacheNamespaceSettings },
      detail: { ...allows("admin"), summary: "Enable a namespace again", ...fails(404) },
    })
    .post("/share", ({ principal, body }) => namespaces.share(principal, body.namespace, body.keys), {
      body: ShareCache,
      response: { 200: CacheNamespaceSettings },
      detail: {
        ...allows("admin"),
        summary: "Set the keys that share cached answers with each other",
        ...fails(404, 409),
      },
    });
};
