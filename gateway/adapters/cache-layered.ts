import type { Cache, CacheHit } from "../ports/cache";
import { memoryCache } from "./cache-memory";
import type { RedisCache } from "./cache-redis";

/**
 * Maximum lifetime of an entry in memory in front of Redis. An entry that another gateway deletes normally leaves
 * within milliseconds, within 6 s if the connection died silently, and always within this time.
 */
const MEMORY_MS = 60_000;

/** Memory in front of a shared Redis: repeated answers need no round trip, and survive restarts and gateway changes. */
export const layeredCache = (redis: RedisCache, options: { maxBytes: number; now?: () => number }): Cache => {
  const memory = memoryCache({ ...options, maxAgeMs: MEMORY_MS });
  /** Number of deletions so far. A value read before a deletion must not enter memory after it. */
  let drops = 0;
  redis.listen({
    dropped: (what) => {
      drops++;
      void ("tag" in what ? memory.deleteTag(what.tag) : memory.delete(what.key));
    },
    lost: () => {
      drops++;
      memory.clear();
    },
  });

  const getFar = async (key: string): Promise<CacheHit | undefined> => {
    const dropsBefore = drops;
    const far = await redis.get(key);
    if (far && drops === dropsBefore) await memory.set(key, far);
    return far;
  };

  return {
    open: () => redis.open(),
    get: (key) => memory.get(key) ?? getFar(key),
    set: async (key, entry) => (await Promise.all([memory.set(key, entry), redis.set(key, entry)])).includes(true),
    delete: async (key) => (await Promise.all([memory.delete(key), redis.delete(key)])).includes(true),
    deleteTag: async (tag) => Math.max(...(await Promise.all([memory.deleteTag(tag), redis.deleteTag(tag)]))),
    stats: async () => [...(await memory.stats()), ...(await redis.stats())],
    close: async () => {
      await redis.close();
      memory.clear();
    },
  };
};
