import type { Config } from "../../lib/config";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { CacheReport } from "../chat/contract";
import type { Cache, CacheHit } from "../ports/cache";
import type { EngineReply } from "../ports/engine";
import type { AnswerCache, CacheDirectives, CachedAnswer, CacheRequest } from "./answers";
import { createCacheCounts } from "./counts";
import { parseCacheControl } from "./directives";
import { type CacheKey, cacheKey } from "./key";
import type { Namespaces } from "./namespaces";
import { createRecentRequests, type RecentRequest } from "./recent-requests";
import { Flight } from "./single-flight";

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

/** Failures that belong to the request that started the generation, not to those that joined it. */
const isLeadersOwn = (error: unknown): boolean => error instanceof AppError && error.kind === "client_closed";

export const createAnswerCache = ({
  cache,
  config: { cache: settings },
  namespaces,
  log,
  now = Date.now,
}: AnswerCacheDeps): AnswerCacheService => {
  const counts = createCacheCounts();
  const recent = createRecentRequests();
  /** Every generation whose answer may be kept, with its tags. */
  const running = new Map<Flight, readonly string[]>();
  /** Those of them that an equal request may join. */
  const joinable = new Map<string, Flight>();

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

  const keep = async (key: string, value: string, tags: readonly string[], keepSeconds = Infinity): Promise<void> => {
    const storedAt = new Date(now());
    const expiresAt = new Date(now() + Math.min(settings.ttlSeconds, keepSeconds) * 1000);
    const isKept = await cache.set(key, { value, storedAt, expiresAt, tags });
    if (isKept) counts.writes.stored++;
    else counts.writes.failed++;
  };

  /** The value worth keeping, or undefined. */
  const worthKeeping = (flight: Flight, frames: Uint8Array[] | undefined, toStored: ToStored): string | undefined => {
    if (!frames || !running.has(flight)) return undefined;
    try {
      return toStored(frames);
    } catch (error) {
      log.warn({ err: error }, "an answer could not be kept");
      return undefined;
    }
  };

  const launch = (
    id: { key: string; flight?: string },
    tags: readonly string[],
    keepSeconds: number | undefined,
    generate: Generate,
    toStored: ToStored,
  ): Flight => {
    const land = (): void => {
      running.delete(flight);
      if (id.flight !== undefined && joinable.get(id.flight) === flight) joinable.delete(id.flight);
    };
    const flight: Flight = new Flight(generate, (frames) => {
      const value = keepSeconds === 0 ? undefined : worthKeeping(flight, frames, toStored);
      if (value === undefined) {
        if (frames) counts.writes.skipped++;
        land();
        return;
      }
      // Joinable until the entry is written: nobody can miss both. The readers don't wait for it.
      void keep(id.key, value, tags, keepSeconds).finally(land);
    });
    running.set(flight, tags);
    if (id.flight !== undefined) joinable.set(id.flight, flight);
    return flight;
  };

  const reportHit = (key: string, hit: CacheHit): CacheReport => ({
    status: "hit",
    kind: hit.layer,
    age: Math.max(0, Math.floor((now() - hit.storedAt.getTime()) / 1000)),
    ttl: Math.max(0, Math.floor((hit.expiresAt.getTime() - now()) / 1000)),
    key,
  });

  const answer = async (request: CacheRequest, generate: Generate, toStored: ToStored): Promise<CachedAnswer> => {
    const { directives, signal } = request;
    const { noCache, noStore, onlyIfCached, maxAge, keepSeconds } = directives;
    const namespace = namespaces.nameOf(request.keyId);

    const bypass = bypassReason(request, namespace);
    if (bypass !== undefined) {
      counts.count(namespace, { bypass });
      if (onlyIfCached) throw notCached(`the cache was not asked: ${bypass}`);
      return { report: { status: "bypass", reason: bypass }, reply: await generate(signal) };
    }

    const id = cacheKey(namespace, request.parts);
    const { key } = id;
    const tags = [...request.tags, `namespace:${namespace}`];
    recent.add(request.requestId, namespace, id);

    if (noCache) {
      counts.count(namespace, { bypass: "no-cache" });
      if (onlyIfCached) throw notCached("it said no-cache too");
      const report: CacheReport = { status: "bypass", reason: "no-cache", key, stored: !noStore };
      if (noStore) return { report, reply: await generate(signal) };
      const flight = launch({ key }, tags, keepSeconds, generate, toStored);
      return { report, reply: await flight.join(signal) };
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

    const flightId = request.stream ? `${key} stream` : key;
    for (let failed: Flight | undefined; ; ) {
      const running = joinable.get(flightId);
      // From here to the launch nothing may wait: equal requests that come at once have to find one flight.
      if (!running?.isJoinable || running === failed) {
        counts.count(namespace, "miss");
        const flight = launch({ key, flight: flightId }, tags, keepSeconds, generate, toStored);
        return { report: { status: "miss", reason, key, stored: keepSeconds !== 0 }, reply: await flight.join(signal) };
      }
      try {
        const reply = await running.join(signal);
        counts.count(namespace, { hit: "in_flight" });
        return { report: { status: "joined", kind: "in_flight", key }, reply };
      } catch (error) {
        if (signal.aborted || !isLeadersOwn(error)) throw error;
        failed = running;
      }
    }
  };

  return {
    answer,
    counts,
    inFlight: () => running.size,
    recent: recent.get,
    inspect: async (namespace, { parts, bypass }) => {
      const id = cacheKey(namespace, parts);
      const reason = bypassReason({ bypass, directives: parseCacheControl(undefined) }, namespace);
      return { id, bypass: reason, hit: await cache.get(id.key) };
    },
    invalidate: async (tag) => {
      for (const [flight, tags] of running) if (tags.includes(tag)) running.delete(flight);
      for (const [id, flight] of joinable) if (!running.has(flight)) joinable.delete(id);
      return cache.deleteTag(tag);
    },
  };
};
