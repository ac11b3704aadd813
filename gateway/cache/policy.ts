import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { CacheDirectives } from "../call";
import type { CacheReport } from "../contract";
import type { Cache, CacheHit } from "../ports/cache";
import type { CacheRequest } from "./answers";
import { createCacheCounts } from "./counts";
import type { Namespaces } from "./namespaces";

export interface CachePolicyDeps {
  cache: Cache;
  config: Pick<Config, "cache">;
  namespaces: Pick<Namespaces, "nameOf" | "isDisabled">;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Rules for everything that is cached, whole answers and single entries: who may use it, and for how long. */
export interface CachePolicy {
  readonly counts: ReturnType<typeof createCacheCounts>;
  nameOf(keyId: string): string;
  /** Why a request bypasses the cache; undefined if it may use it. */
  bypassReason(request: Pick<CacheRequest, "bypass" | "directives">, namespace: string): string | undefined;
  /** The entry of this key: at once when it is in memory. */
  find: Cache["get"];
  /** Whether the entry is older than the request accepts. */
  isTooOld(hit: CacheHit | undefined, directives: CacheDirectives): boolean;
  /** Keeps a value, unless it is undefined or the request allows no time. */
  keep(key: string, value: string | undefined, tags: readonly string[], keepSeconds?: number): Promise<void>;
  /** `key` is left out if one response has several entries. */
  report(key: string | undefined, hit: CacheHit): CacheReport;
}

const asksForCache = ({ maxAge, keepSeconds, onlyIfCached }: CacheDirectives): boolean =>
  maxAge !== undefined || keepSeconds !== undefined || onlyIfCached;

export const createCachePolicy = ({
  cache,
  config: { cache: settings },
  namespaces,
  now = Date.now,
}: CachePolicyDeps): CachePolicy => {
  const counts = createCacheCounts();
  const wholeSeconds = (ms: number): number => Math.max(0, Math.floor(ms / 1000));

  return {
    counts,
    nameOf: namespaces.nameOf,

    bypassReason({ bypass, directives }, namespace) {
      if (!settings.enabled) return "the cache is off";
      if (bypass !== undefined) return bypass;
      if (namespaces.isDisabled(namespace)) return "the namespace is disabled";
      if (settings.optIn && !asksForCache(directives)) return "not asked for: send cache-control max-age or s-maxage";
      return undefined;
    },

    find: (key) => cache.get(key),

    isTooOld: (hit, { maxAge }) =>
      hit !== undefined && maxAge !== undefined && now() - hit.storedAt.getTime() > maxAge * 1000,

    async keep(key, value, tags, keepSeconds = Number.POSITIVE_INFINITY) {
      if (value === undefined || keepSeconds === 0) {
        counts.writes.skipped++;
        return;
      }
      const storedAt = new Date(now());
      const expiresAt = new Date(now() + Math.min(settings.ttlSeconds, keepSeconds) * 1000);
      const isKept = await cache.set(key, { value, storedAt, expiresAt, tags });
      counts.writes[isKept ? "stored" : "failed"]++;
    },

    report: (key, hit) => ({
      status: "hit",
      kind: hit.layer,
      age: wholeSeconds(now() - hit.storedAt.getTime()),
      ttl: wholeSeconds(hit.expiresAt.getTime() - now()),
      key,
    }),
  };
};

/** The error for an only-if-cached request without a stored answer. */
export const notCached = (reason: string): AppError =>
  new AppError("not_cached", `The request has only-if-cached, but ${reason}. Send it without only-if-cached.`);
