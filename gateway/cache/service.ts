import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { CacheReport } from "../chat/contract";
import type { Cache, CacheHit } from "../ports/cache";
import type { EngineReply } from "../ports/engine";
import type { AnswerCache, CacheDirectives, CachedAnswer, CacheRequest } from "./answers";
import { createCacheCounts } from "./counts";
import { parseCacheControl } from "./directives";
import { createFlights, type FlightPlan } from "./flights";
import { type CacheKey, cacheKey } from "./key";
import type { Namespaces } from "./namespaces";
import { createRecentRequests, type RecentRequest } from "./recent-requests";

interface AnswerCacheDeps {
  cache: Cache;
  config: Pick<Config, "cache">;
  namespaces: Pick<Namespaces, "nameOf" | "isDisabled">;
  log: Log;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** The answer cache, and what its admin routes ask of it. */
export interface AnswerCacheService extends AnswerCache {
  readonly counts: ReturnType<typeof createCacheCounts>;
  /** Generations that run for the cache now. */
  inFlight(): number;
  /** A request of the last 2,000 that reached the cache. */
  recent(requestId: string): RecentRequest | undefined;
  /** What would happen to a request of this namespace that says nothing about the cache. Counts and changes nothing. */
  inspect(namespace: string, request: Pick<CacheRequest, "parts" | "bypass">): Promise<CacheInspection>;
  /** Drops what carries `tag`; what is generated right now with that tag is neither joined nor kept. */
  invalidate(tag: string): Promise<number>;
  /** Drops one entry, and false when there was none; what is generated right now for it is neither joined nor kept. */
  deleteEntry(key: string): Promise<boolean>;
}

export interface CacheInspection {
  id: CacheKey;
  /** Why the request would go past the cache. */
  bypass?: string;
  /** The entry that would be served. */
  hit?: CacheHit;
}

type Generate = (signal: AbortSignal) => Promise<EngineReply>;
type ToStored = (frames: Uint8Array[]) => string | undefined;

const notCached = (reason: string): AppError =>
  new AppError("not_cached", `The request said only-if-cached, and ${reason}. Send it without only-if-cached.`);

const asksForCache = ({ maxAge, keepSeconds, onlyIfCached }: CacheDirectives): boolean =>
  maxAge !== undefined || keepSeconds !== undefined || onlyIfCached;

export const createAnswerCache = ({
  cache,
  config: { cache: settings },
  namespaces,
  log,
  now = Date.now,
}: AnswerCacheDeps): AnswerCacheService => {
  const counts = createCacheCounts();
  const recent = createRecentRequests();
  const flights = createFlights({ log });

  const bypassReason = (
    { bypass, directives }: Pick<CacheRequest, "bypass" | "directives">,
    namespace: string,
  ): string | undefined => {
    if (!settings.enabled) return "the cache is off";
    if (bypass !== undefined) return bypass;
    if (namespaces.isDisabled(namespace)) return "the namespace is disabled";
    if (settings.optIn && !asksForCache(directives)) return "not asked for: send cache-control max-age or s-maxage";
    return undefined;
  };

  /** What `toStored` finds worth keeping; a failure to tell costs the entry, not the answer. */
  const worthKeeping = (frames: Uint8Array[], toStored: ToStored): string | undefined => {
    try {
      return toStored(frames);
    } catch (error) {
      log.warn({ err: error }, "an answer could not be kept");
      return undefined;
    }
  };

  const keep = async (
    key: string,
    value: string | undefined,
    tags: string[],
    keepSeconds = Infinity,
  ): Promise<void> => {
    if (value === undefined || keepSeconds === 0) {
      counts.writes.skipped++;
      return;
    }
    const storedAt = new Date(now());
    const expiresAt = new Date(now() + Math.min(settings.ttlSeconds, keepSeconds) * 1000);
    const isKept = await cache.set(key, { value, storedAt, expiresAt, tags });
    counts.writes[isKept ? "stored" : "failed"]++;
  };

  const reportHit = (key: string, hit: CacheHit): CacheReport => ({
    status: "hit",
    kind: hit.layer,
    age: Math.max(0, Math.floor((now() - hit.storedAt.getTime()) / 1000)),
    ttl: Math.max(0, Math.floor((hit.expiresAt.getTime() - now()) / 1000)),
    key,
  });

  const answer = async (request: CacheRequest, generate: Generate, toStored: ToStored): Promise<CachedAnswer> => {
    const { directives, signal, stream } = request;
    const { noCache, noStore, onlyIfCached, maxAge, keepSeconds } = directives;
    const namespace = namespaces.nameOf(request.keyId);

    const bypass = bypassReason(request, namespace);
    if (bypass !== undefined) {
      counts.count(namespace, { bypass });
      if (onlyIfCached) throw notCached(`the cache was not asked: ${bypass}`);
      return { report: { status: "bypass", reason: bypass }, reply: await generate(signal) };
    }

    const named = cacheKey(namespace, request.parts);
    const { key } = named;
    const tags = [...request.tags, `namespace:${namespace}`];
    recent.add(request.requestId, namespace, named);

    const plan: FlightPlan = {
      key,
      tags,
      generate,
      onWhole: (frames) => keep(key, frames && worthKeeping(frames, toStored), tags, keepSeconds),
    };
    const stored = !noStore && keepSeconds !== 0;

    if (noCache) {
      counts.count(namespace, { bypass: "no-cache" });
      if (onlyIfCached) throw notCached("it said no-cache too");
      const reply = stored ? flights.launch(plan).join(signal) : generate(signal);
      return { report: { status: "bypass", reason: "no-cache", key, stored }, reply: await reply };
    }

    const hit = await cache.get(key);
    const isTooOld = hit !== undefined && maxAge !== undefined && now() - hit.storedAt.getTime() > maxAge * 1000;
    if (hit && !isTooOld) {
      counts.count(namespace, { hit: hit.layer });
      return { report: reportHit(key, hit), stored: hit.value };
    }
    const reason = isTooOld ? "stored longer ago than max-age" : undefined;
    if (onlyIfCached) {
      counts.count(namespace, "miss");
      throw notCached(isTooOld ? "the stored answer is older than max-age" : "no answer to it is stored");
    }
    if (noStore) {
      counts.count(namespace, "miss");
      return { report: { status: "miss", reason, key }, reply: await generate(signal) };
    }

    const id = stream ? `${key} stream` : key;
    const { reply, hasJoined } = await flights.joinOrLaunch({ ...plan, id }, signal);
    counts.count(namespace, hasJoined ? { hit: "in_flight" } : "miss");
    const report: CacheReport = hasJoined
      ? { status: "joined", kind: "in_flight", key }
      : { status: "miss", reason, key, stored };
    return { report, reply };
  };

  return {
    answer,
    counts,
    inFlight: flights.size,
    recent: recent.get,
    inspect: async (namespace, { parts, bypass }) => {
      const id = cacheKey(namespace, parts);
      const reason = bypassReason({ bypass, directives: parseCacheControl(undefined) }, namespace);
      return { id, bypass: reason, hit: await cache.get(id.key) };
    },
    invalidate: async (tag) => {
      flights.forgetTag(tag);
      return cache.deleteTag(tag);
    },
    deleteEntry: async (key) => {
      flights.forgetKey(key);
      return cache.delete(key);
    },
  };
};
