import type { Cache, CacheEntry, CacheHit } from "../ports/cache";

export interface MemoryCacheOptions {
  /** The least recently used entries leave when all together take more. */
  maxBytes: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

interface Kept extends CacheHit {
  layer: "memory";
  sizeBytes: number;
}

/** What a Map entry, the object and its dates take besides the text, rounded up. */
const OVERHEAD_BYTES = 300;

/** An upper bound: the engine keeps text in one or two bytes per character. */
const sizeOf = (key: string, entry: CacheEntry): number => {
  let characters = key.length + entry.value.length;
  for (const tag of entry.tags) characters += tag.length;
  return OVERHEAD_BYTES + 2 * characters;
};

/** Entries of this process: bounded by bytes, the least recently used leaves first. */
export const memoryCache = ({ maxBytes, now = Date.now }: MemoryCacheOptions): Cache => {
  // A Map iterates in insertion order; a hit inserts its entry anew, so the first one is the least recently used.
  const entries = new Map<string, Kept>();
  const keysByTag = new Map<string, Set<string>>();
  const since = new Date(now());
  let sizeBytes = 0;

  const remove = (key: string): boolean => {
    const kept = entries.get(key);
    if (!kept) return false;
    entries.delete(key);
    sizeBytes -= kept.sizeBytes;
    for (const tag of kept.tags) {
      const keys = keysByTag.get(tag);
      keys?.delete(key);
      if (keys?.size === 0) keysByTag.delete(tag);
    }
    return true;
  };

  const dropExpired = (): void => {
    for (const [key, { expiresAt }] of entries) if (expiresAt.getTime() <= now()) remove(key);
  };

  const makeRoom = (): void => {
    for (const key of entries.keys()) {
      if (sizeBytes <= maxBytes) return;
      remove(key);
    }
  };

  return {
    open: async () => {},
    get: async (key) => {
      const kept = entries.get(key);
      if (!kept) return undefined;
      if (kept.expiresAt.getTime() <= now()) {
        remove(key);
        return undefined;
      }
      entries.delete(key);
      entries.set(key, kept);
      return kept;
    },
    set: async (key, entry, ttlMs) => {
      remove(key);
      const size = sizeOf(key, entry);
      if (ttlMs <= 0 || size > maxBytes) return false;
      entries.set(key, { ...entry, expiresAt: new Date(now() + ttlMs), layer: "memory", sizeBytes: size });
      sizeBytes += size;
      for (const tag of entry.tags) {
        const keys = keysByTag.get(tag);
        if (keys) keys.add(key);
        else keysByTag.set(tag, new Set([key]));
      }
      makeRoom();
      return true;
    },
    delete: async (key) => remove(key),
    deleteTag: async (tag) => {
      const keys = [...(keysByTag.get(tag) ?? [])];
      for (const key of keys) remove(key);
      return keys.length;
    },
    stats: async () => {
      dropExpired();
      return [{ layer: "memory", status: "ok", since, entries: entries.size, sizeBytes }];
    },
    close: async () => {
      entries.clear();
      keysByTag.clear();
      sizeBytes = 0;
    },
  };
};
