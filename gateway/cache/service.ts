import type { Log } from "../../lib/log";
import { NO_DIRECTIVES } from "../call";
import type { CacheReport } from "../contract";
import type { CacheHit } from "../ports/cache";
import type { EngineReply } from "../ports/engine";
import type { AnswerCache, CachedAnswer, CacheRequest } from "./answers";
import { createEntries, type EntryRequest, type EntrySession } from "./entries";
import { createFlights, type FlightPlan } from "./flights";
import { type CacheKey, cacheKey } from "./key";
import { type CachePolicy, type CachePolicyDeps, createCachePolicy, notCached } from "./policy";
import { createRecentRequests, type RecentRequest } from "./recent-requests";

interface AnswerCacheDeps extends CachePolicyDeps {
  log: Log;
}

/** The answer cache with the operations of its admin routes. */
export interface AnswerCacheService extends AnswerCache {
  readonly counts: CachePolicy["counts"];
  /** Opens a session for a request whose parts are cached separately, such as its vectors. Close it at the end. */
  entries(request: EntryRequest): EntrySession;
  /** Number of running generations. */
  inFlight(): number;
  /** One of the last 2,000 requests that reached the cache. */
  recent(requestId: string): RecentRequest | undefined;
  /** What would happen to a request without `cache-control` in this namespace. Counts and changes nothing. */
  inspect(namespace: string, request: Pick<CacheRequest, "parts" | "bypass">): Promise<CacheInspection>;
  /** Deletes the entries with `tag`. Running generations with that tag are neither joined nor stored. */
  invalidate(tag: string): Promise<number>;
  /** Deletes one entry; false if there was none. A running generation for it is neither joined nor stored. */
  deleteEntry(key: string): Promise<boolean>;
}

interface CacheInspection {
  id: CacheKey;
  /** Why the request would bypass the cache. */
  bypass?: string;
  /** The entry that would be served. */
  hit?: CacheHit;
}

type Generate = (signal: AbortSignal) => Promise<EngineReply>;
type ToStored = (frames: Uint8Array[]) => string | undefined;

export const createAnswerCache = ({ log, ...deps }: AnswerCacheDeps): AnswerCacheService => {
  const { cache } = deps;
  const policy = createCachePolicy(deps);
  const { counts } = policy;
  const recent = createRecentRequests();
  const flights = createFlights({ log });
  const entries = createEntries(policy);

  /** The result of `toStored`. If it throws, the answer is not stored, but still delivered. */
  const worthKeeping = (frames: Uint8Array[], toStored: ToStored): string | undefined => {
    try {
      return toStored(frames);
    } catch (error) {
      log.warn({ err: error }, "could not cache an answer");
      return undefined;
    }
  };

  const answer = async (request: CacheRequest, generate: Generate, toStored: ToStored): Promise<CachedAnswer> => {
    const { directives, stream } = request;
    const { noCache, noStore, onlyIfCached, keepSeconds } = directives;
    const namespace = policy.nameOf(request.keyId);

    const bypass = policy.bypassReason(request, namespace);
    if (bypass !== undefined) {
      counts.count(namespace, { bypass });
      if (onlyIfCached) throw notCached(`the cache was not asked: ${bypass}`);
      return { report: { status: "bypass", reason: bypass }, reply: await generate(request.call.signal) };
    }

    const named = cacheKey(namespace, request.parts);
    const { key } = named;
    const tags = [...request.tags, `namespace:${namespace}`];
    recent.add(request.requestId, namespace, named);

    const plan: FlightPlan = {
      key,
      tags,
      generate,
      onWhole: (frames) => policy.keep(key, frames && worthKeeping(frames, toStored), tags, keepSeconds),
    };
    const stored = !noStore && keepSeconds !== 0;

    if (noCache) {
      counts.count(namespace, { bypass: "no-cache" });
      if (onlyIfCached) throw notCached("it said no-cache too");
      const reply = stored ? flights.launch(plan).join(request.call.signal) : generate(request.call.signal);
      return { report: { status: "bypass", reason: "no-cache", key, stored }, reply: await reply };
    }

    const found = policy.find(key);
    const hit = found instanceof Promise ? await found : found;
    const isTooOld = policy.isTooOld(hit, directives);
    if (hit && !isTooOld) {
      counts.count(namespace, { hit: hit.layer });
      return { report: policy.report(key, hit), stored: hit.value };
    }
    const reason = isTooOld ? "stored longer ago than max-age" : undefined;
    if (onlyIfCached) {
      counts.count(namespace, "miss");
      throw notCached(isTooOld ? "the stored answer is older than max-age" : "no answer to it is stored");
    }
    if (noStore) {
      counts.count(namespace, "miss");
      return { report: { status: "miss", reason, key }, reply: await generate(request.call.signal) };
    }

    const id = stream ? `${key} stream` : key;
    const { reply, hasJoined } = await flights.joinOrLaunch({ ...plan, id }, request.call.signal);
    counts.count(namespace, hasJoined ? { hit: "in_flight" } : "miss");
    const report: CacheReport = hasJoined
      ? { status: "joined", kind: "in_flight", key }
      : { status: "miss", reason, key, stored };
    return { report, reply };
  };

  return {
    answer,
    counts,
    entries: entries.begin,
    inFlight: flights.size,
    recent: recent.get,
    inspect: async (namespace, { parts, bypass }) => {
      const id = cacheKey(namespace, parts);
      const reason = policy.bypassReason({ bypass, directives: NO_DIRECTIVES }, namespace);
      return { id, bypass: reason, hit: await cache.get(id.key) };
    },
    invalidate: async (tag) => {
      flights.forgetTag(tag);
      entries.forgetTag(tag);
      return cache.deleteTag(tag);
    },
    deleteEntry: async (key) => {
      flights.forgetKey(key);
      entries.forgetKey(key);
      return cache.delete(key);
    },
  };
};
