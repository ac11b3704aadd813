/**
 * A shared or local store of text with a lifetime. An adapter never throws and never makes a caller wait over 50 ms:
 * what it can't read is a miss, what it can't write is dropped.
 */
export interface Cache {
  /** Resolves when the first connection stands or has failed: an unreachable store is `degraded`, not an error. */
  open(): Promise<void>;
  /** At once where the adapter has it in memory: a promise would cost as much as the rest of a hit. */
  get(key: string): CacheHit | undefined | Promise<CacheHit | undefined>;
  /** Keeps `entry` until it expires; false when it could not be kept. */
  set(key: string, entry: CacheEntry): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  /**
   * Drops every entry that carries `tag` and answers how many there were. While a shared store is unreachable its part
   * is done as soon as it is back, before anything is read from it.
   */
  deleteTag(tag: string): Promise<number>;
  /** One element per layer, the nearest first. */
  stats(): Promise<CacheStats[]>;
  close(): Promise<void>;
}

export type CacheLayer = "memory" | "redis";

export interface CacheEntry {
  value: string;
  storedAt: Date;
  expiresAt: Date;
  /** A tag's entries are dropped together. For example `model:smollm2-135m-instruct`, `namespace:key_abc`. */
  tags: readonly string[];
}

export interface CacheHit extends CacheEntry {
  layer: CacheLayer;
}

export interface CacheStats {
  layer: CacheLayer;
  /** degraded: not reachable now; all reads miss. */
  status: "ok" | "degraded";
  /** Since when the status holds. */
  since: Date;
  entries: number;
  /** Memory: an upper bound of what the entries take. Redis: what the server uses in all. */
  sizeBytes: number;
  /** Of the last answer of a remote store. */
  latencyMs?: number;
  lastError?: string;
}
