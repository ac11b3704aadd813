import type { Cache, CacheEntry, CacheHit } from "../ports/cache";

export interface MemoryCacheOptions {
  /** Maximum total size. Beyond it, the least recently used entries are evicted. */
  maxBytes: number;
  /** In front of a shared store, entries are evicted from memory after this time but stay in the store. */
  maxAgeMs?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export interface MemoryCache extends Cache {
  get(key: string): CacheHit | undefined;
  clear(): void;
}

interface Kept extends CacheHit {
  sizeBytes: number;
  /** When the entry leaves memory, in milliseconds since 1970. */
  leavesAt: number;
}

/** Memory of a Map entry, the object and its dates, without the text, rounded up. */
const OVERHEAD_BYTES = 300;

/** An upper bound. The engine stores one or two bytes per character. */
const sizeOf = (key: string, entry: CacheEntry): number => {
  let characters = key.length + entry.value.length;
  for (const tag of entry.tags) characters += tag.length;
  return OVERHEAD_BYTES + 2 * characters;
};

export const memoryCache = ({
  maxBytes,
  maxAgeMs = Number.POSITIVE_INFINITY,
  now = Date.now,
}: MemoryCacheOptions): MemoryCache => {
  // A Map iterates in insertion order, and a hit reinserts its entry. So the first entry is the least recently used.
  const entries = new Map<string, Kept>();
  const since = new Date(now());
  let sizeBytes = 0;

  const remove = (key: string): boolean => {
    const kept = entries.get(key);
    if (!kept) return false;
    entries.delete(key);
    sizeBytes -= kept.sizeBytes;
    return true;
  };

  const dropExpired = (): void => {
    for (const [key, { leavesAt }] of entries) if (leavesAt <= now()) remove(key);
  };

  const makeRoom = (): void => {
    for (const key of entries.keys()) {
      if (sizeBytes <= maxBytes) return;
      remove(key);
    }
  };

  const clear = (): void => {
    entries.clear();
    sizeBytes = 0;
  };

  return {
    open: async () => {},
    get: (key) => {
      const kept = entries.get(key);
      if (!kept) return undefined;
      if (kept.leavesAt <= now()) {
        remove(key);
        return undefined;
      }
      entries.delete(key);
      entries.set(key, kept);
      return kept;
    },
    set: async (key, entry) => {
      remove(key);
      const size = sizeOf(key, entry);
      const leavesAt = Math.min((entry.staleUntil ?? entry.expiresAt).getTime(), now() + maxAgeMs);
      if (leavesAt <= now() || size > maxBytes) return false;
      entries.set(key, { ...entry, layer: "memory", sizeBytes: size, leavesAt });
      sizeBytes += size;
      makeRoom();
      return true;
    },
    delete: async (key) => remove(key),
    deleteTag: async (tag) => {
      let dropped = 0;
      for (const [key, { tags }] of entries) if (tags.includes(tag) && remove(key)) dropped++;
      return dropped;
    },
    stats: async () => {
      dropExpired();
      return [{ layer: "memory", status: "ok", since, entries: entries.size, sizeBytes }];
    },
    clear,
    close: async () => clear(),
  };
};
