import type { Config } from "../../lib/config";
import { AppError, toAppError } from "../../lib/errors";
import { inOrder } from "../../lib/in-order";
import type { Log } from "../../lib/log";
import { type CacheDirectives, NO_DIRECTIVES } from "../call";
import type { CacheReport } from "../contract";
import type { Degradations } from "../health/degradations";
import type { Cache, CacheHit } from "../ports/cache";
import type { EngineReply } from "../ports/engine";
import { createFlights, createInvalidations, type FlightPlan } from "./flights";
import { cacheKey, createRecentRequests } from "./key";
import type { Namespaces } from "./namespaces";
import { createCacheCounts } from "./statistics";

export interface CacheRequest {
  /** Id of the calling key. Its entries are private unless an admin put it into a shared namespace. */
  keyId: string;
  /** Everything that affects the answer, by name, in a fixed order. It is hashed into the key and shown by `explain`. */
  parts: Record<string, unknown>;
  /** Whether `generate` produces Server-Sent Events. Both forms share stored answers, but not running generations. */
  stream: boolean;
  /** For invalidating many entries in one call: `model:NAME`, `prompt:HASH`, `index:ID`, `evaluator:NAME@VERSION`. */
  tags: string[];
  /** Why this answer may not be cached (sampling without a seed, cache off …); undefined if it may. */
  bypass?: string;
  directives: CacheDirectives;
  requestId: string;
  /** Models that may answer instead. Requests that differ in them don't share a running generation. */
  fallbacks?: readonly string[];
  /** `signal` is only used on a cache miss. */
  call: { readonly signal: AbortSignal };
}

/** The complete stored answer, or the frames of a running generation that this caller started or joined. */
export type CachedAnswer = { report: CacheReport; stored: string } | { report: CacheReport; reply: EngineReply };

/** The values of a request whose parts are cached separately, such as its vectors. */
interface CachedEntries {
  /** In the order of the parts; undefined for a miss. */
  values: (string | undefined)[];
  /** A hit if every part came from the cache. */
  report: CacheReport;
  /** Stores the value of the part at `index`, unless it was invalidated in the meantime. */
  keep(index: number, value: string): Promise<void>;
}

type Generate = (signal: AbortSignal) => Promise<EngineReply>;
type ToStored = (frames: Uint8Array[]) => string | undefined;

export type AnswerCache = ReturnType<typeof createAnswerCache>;

interface AnswerCacheDeps {
  cache: Cache;
  config: Pick<Config, "cache">;
  namespaces: Pick<Namespaces, "nameOf" | "isDisabled">;
  degradations?: Pick<Degradations, "has">;
  log: Pick<Log, "warn">;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Maximum parallel reads. A remote store answers this many well within its timeout. */
const MAX_PARALLEL_READS = 64;

const asksForCache = ({ maxAge, keepSeconds, onlyIfCached }: CacheDirectives): boolean =>
  maxAge !== undefined || keepSeconds !== undefined || onlyIfCached;

const notCached = (reason: string): AppError =>
  new AppError("not_cached", `The request has only-if-cached, but ${reason}. Send it without only-if-cached.`);

/** Whether no node can generate an answer at the moment. */
const isOutage = (error: unknown): boolean => {
  const { kind } = toAppError(error);
  return kind === "unavailable" || kind === "model_loading";
};

/** The answer cache: decides which requests may use it and how long answers are kept; also serves the admin routes. */
export const createAnswerCache = ({
  cache,
  config: { cache: settings },
  namespaces,
  degradations,
  log,
  now = Date.now,
}: AnswerCacheDeps) => {
  const counts = createCacheCounts();
  const recent = createRecentRequests();
  const flights = createFlights();
  const invalidations = createInvalidations();

  const bypassReason = (
    { bypass, directives }: Pick<CacheRequest, "bypass" | "directives">,
    namespace: string,
  ): string | undefined => {
    if (!settings.enabled || degradations?.has("cache_off")) return "the cache is off";
    if (bypass !== undefined) return bypass;
    if (namespaces.isDisabled(namespace)) return "the namespace is disabled";
    if (settings.optIn && !asksForCache(directives)) return "not requested: send cache-control max-age or s-maxage";
    return undefined;
  };

  const isTooOld = (hit: CacheHit | undefined, { maxAge }: CacheDirectives): boolean =>
    hit !== undefined && maxAge !== undefined && now() - hit.storedAt.getTime() > maxAge * 1000;

  /** An expired answer is served only while nothing can be generated (RFC 9111 section 4.2.4). */
  const isFreshEnough = (hit: CacheHit): boolean =>
    hit.expiresAt.getTime() > now() || degradations?.has("cached_only") === true;

  const hitReport = (key: string | undefined, hit: CacheHit): CacheReport => {
    const nowMs = now();
    const leftMs = hit.expiresAt.getTime() - nowMs;
    const report: CacheReport = {
      status: "hit",
      kind: hit.layer,
      age: Math.max(0, Math.floor((nowMs - hit.storedAt.getTime()) / 1000)),
      ttl: Math.floor(leftMs / 1000),
      key,
    };
    return leftMs > 0 ? report : { ...report, stale: true, reason: "expired, but nothing can be generated" };
  };

  /** Stores a value, unless it is undefined or its lifetime is 0. */
  const store = async (
    key: string,
    value: string | undefined,
    tags: readonly string[],
    keepSeconds = Number.POSITIVE_INFINITY,
  ): Promise<void> => {
    if (value === undefined || keepSeconds === 0) {
      counts.writes.skipped++;
      return;
    }
    const storedAt = new Date(now());
    const expiresAt = new Date(now() + Math.min(settings.ttlSeconds, keepSeconds) * 1000);
    // A request that limits the lifetime doesn't want older answers, not even in an outage (RFC 9111 section 5.2.2.10).
    const staleMs = keepSeconds === Number.POSITIVE_INFINITY ? settings.staleSeconds * 1000 : 0;
    const staleUntil = staleMs > 0 ? new Date(expiresAt.getTime() + staleMs) : undefined;
    counts.writes[(await cache.set(key, { value, storedAt, expiresAt, staleUntil, tags })) ? "stored" : "failed"]++;
  };

  /**
   * Serves from the store, joins an identical request in flight, or starts `generate`. The generation is aborted when
   * its last reader leaves. `toStored` converts all frames of a complete answer to the stored value, or returns
   * undefined for an answer not worth storing (empty, truncated). Throws what `generate` throws, client_closed if
   * `signal` is aborted, and not_cached (504, RFC 9111 section 5.2.1.7) for `only-if-cached` without an entry.
   */
  const answer = async (request: CacheRequest, generate: Generate, toStored: ToStored): Promise<CachedAnswer> => {
    const { directives, stream } = request;
    const { noCache, noStore, onlyIfCached, keepSeconds } = directives;
    const namespace = namespaces.nameOf(request.keyId);

    const bypass = bypassReason(request, namespace);
    if (bypass !== undefined) {
      counts.count(namespace, { bypass });
      if (onlyIfCached) throw notCached(`the cache was bypassed: ${bypass}`);
      return { report: { status: "bypass", reason: bypass }, reply: await generate(request.call.signal) };
    }

    const named = cacheKey(namespace, request.parts);
    const { key } = named;
    recent.add(request.requestId, namespace, named);

    /** The plan of a generation that starts now. */
    const newPlan = (): FlightPlan => {
      const tags = [...request.tags, `namespace:${namespace}`];
      const isInvalidated = invalidations.watch([key, ...tags]);
      return {
        generate,
        isInvalidated,
        // A failed write is not an error: readers have their answer, and the next request generates it again.
        async onWhole(frames) {
          try {
            const value = isInvalidated() ? undefined : toStored(frames);
            await store(key, value, tags, keepSeconds);
          } catch (error) {
            log.warn({ err: error }, "could not cache an answer");
          }
        },
      };
    };
    const stored = !noStore && keepSeconds !== 0;

    if (noCache) {
      counts.count(namespace, { bypass: "no-cache" });
      if (onlyIfCached) throw notCached("it also has no-cache");
      const reply = stored ? flights.launch(newPlan()).join(request.call.signal) : generate(request.call.signal);
      return { report: { status: "bypass", reason: "no-cache", key, stored }, reply: await reply };
    }

    const found = cache.get(key);
    const hit = found instanceof Promise ? await found : found;
    const isOld = isTooOld(hit, directives);
    const serve = (served: CacheHit): CachedAnswer => {
      counts.count(namespace, { hit: served.layer });
      return { report: hitReport(key, served), stored: served.value };
    };
    if (hit && !isOld && isFreshEnough(hit)) return serve(hit);
    const reason = isOld ? "stored answer is older than max-age" : undefined;
    if (onlyIfCached || noStore) counts.count(namespace, "miss");
    if (onlyIfCached) throw notCached(reason ? "the stored answer is older than max-age" : "no answer is stored");

    try {
      if (noStore) return { report: { status: "miss", reason, key }, reply: await generate(request.call.signal) };
      const id = `${key}${stream ? " stream" : ""}${request.fallbacks ? ` fallback ${request.fallbacks}` : ""}`;
      const { reply, hasJoined } = await flights.joinOrLaunch({ ...newPlan(), id }, request.call.signal);
      counts.count(namespace, hasJoined ? { hit: "in_flight" } : "miss");
      const report: CacheReport = hasJoined
        ? { status: "joined", kind: "in_flight", key }
        : { status: "miss", reason, key, stored: stored && reply.fallbackModel === undefined };
      return { report, reply };
    } catch (error) {
      if (hit && !isOld && isOutage(error)) return serve(hit);
      throw error;
    }
  };

  /** Reads parts that are cached separately. Throws not_cached for `only-if-cached` unless all are stored. */
  const entries = async (
    request: Pick<CacheRequest, "keyId" | "tags" | "bypass" | "directives">,
    parts: readonly Record<string, unknown>[],
  ): Promise<CachedEntries> => {
    const { noCache, noStore, onlyIfCached, keepSeconds } = request.directives;
    const namespace = namespaces.nameOf(request.keyId);
    const off = bypassReason(request, namespace);
    const keys = off === undefined ? parts.map((part) => cacheKey(namespace, part).key) : [];
    const tags = [...request.tags, `namespace:${namespace}`];
    const areInvalidated = keys.map((key) => invalidations.watch([key, ...tags]));
    const stored = off === undefined && !noStore && keepSeconds !== 0;
    const bypass = off ?? (noCache ? "no-cache" : undefined);

    const read = async (key: string): Promise<CacheHit | undefined> => {
      const found = await cache.get(key);
      const hit = found && isFreshEnough(found) && !isTooOld(found, request.directives) ? found : undefined;
      counts.count(namespace, hit ? { hit: hit.layer } : "miss");
      return hit;
    };
    if (bypass !== undefined) for (const _ of parts) counts.count(namespace, { bypass });
    if (bypass !== undefined && onlyIfCached) throw notCached(`the cache was bypassed: ${bypass}`);
    const hits = bypass === undefined ? await inOrder(keys, MAX_PARALLEL_READS, read) : parts.map(() => undefined);
    if (onlyIfCached && hits.includes(undefined)) throw notCached("only part of the answer is stored");

    const key = keys.length === 1 ? keys[0] : undefined;
    const known = hits.filter((hit) => hit !== undefined);
    const [oldest] = known.toSorted((a, b) => a.storedAt.getTime() - b.storedAt.getTime());
    const missReport: CacheReport =
      off !== undefined
        ? { status: "bypass", reason: off }
        : { status: bypass ? "bypass" : "miss", reason: bypass, key, stored };
    return {
      values: hits.map((hit) => hit?.value),
      report: oldest && known.length === keys.length ? hitReport(key, oldest) : missReport,
      async keep(index, value) {
        const entryKey = keys[index];
        if (!stored || entryKey === undefined || areInvalidated[index]?.()) return;
        await store(entryKey, value, tags, keepSeconds);
      },
    };
  };

  return {
    answer,
    entries,
    counts,
    /** Number of running generations. */
    inFlight: flights.size,
    /** One of the last 2,000 requests that reached the cache. */
    recent: recent.get,
    /**
     * Predicts how a request without `cache-control` would be served in this namespace: its key, why it would bypass
     * the cache, and the entry that would be served. Doesn't count or change anything.
     */
    inspect: async (namespace: string, { parts, bypass }: Pick<CacheRequest, "parts" | "bypass">) => {
      const id = cacheKey(namespace, parts);
      const reason = bypassReason({ bypass, directives: NO_DIRECTIVES }, namespace);
      const hit = await cache.get(id.key);
      return { id, bypass: reason, hit: hit && isFreshEnough(hit) ? hit : undefined };
    },
    /** Deletes the entries with `tag`. Running generations with this tag can't be joined any more and are not stored. */
    invalidate: (tag: string): Promise<number> => {
      invalidations.add(tag);
      return cache.deleteTag(tag);
    },
    /**
     * Deletes one entry; false if it didn't exist. Running generations with this key can't be joined any more and are
     * not stored.
     */
    deleteEntry: (key: string): Promise<boolean> => {
      invalidations.add(key);
      return cache.delete(key);
    },
  };
};
