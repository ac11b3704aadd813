import type { Cache, CacheHit } from "../ports/cache";
import { memoryCache } from "./cache-memory";
import type { RedisCache } from "./cache-redis";

/**
 * Maximum time that an entry stays in the memory in front of Redis. After another gateway deletes it, an entry normally
 * disappears within milliseconds, within 6 s if the connection broke silently, and always within this time.
 */
const MEMORY_MS = 60_000;

/**
 * Memory in front of a shared Redis. Repeated answers need no round trip, and survive restarts and a switch to another
 * gateway.
 */
export const layeredCache = (redis: RedisCache, options: { maxBytes: number; now?: () => number }): Cache => {
  const memory = memoryCache({ ...options, maxAgeMs: MEMORY_MS });
  /** The number of deletions so far. A value that was read before a deletion must not enter memory after it. */
  let drops = 0;
  let isDetached = false;
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
    get: (key) => memory.get(key) ?? (isDetached ? undefined : getFar(key)),
    set: async (key, entry) =>
      (await Promise.all([memory.set(key, entry), !isDetached && redis.set(key, entry)])).includes(true),
    delete: async (key) => (await Promise.all([memory.delete(key), redis.delete(key)])).includes(true),
    deleteTag: async (tag) => Math.max(...(await Promise.all([memory.deleteTag(tag), redis.deleteTag(tag)]))),
    stats: async () => [...(await memory.stats()), ...(await redis.stats())],
    detach(value) {
      isDetached = value;
    },
    close: async () => {
      await redis.close();
      memory.clear();
    },
  };
};
