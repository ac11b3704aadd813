/**
 * A shared or local store of strings that expire. An adapter never throws, and never makes a caller wait longer than 50
 * ms: a failed read is a miss, and a failed write is dropped.
 */
export interface Cache {
  /** Resolves when the first connection is open or has failed. An unreachable store is `degraded`, not an error. */
  open(): Promise<void>;
  /** Synchronous if the adapter has the entry in memory, because a promise would cost as much as the rest of a hit. */
  get(key: string): CacheHit | undefined | Promise<CacheHit | undefined>;
  /** Stores `entry` until it expires or its `staleUntil`; false if it could not be stored. */
  set(key: string, entry: CacheEntry): Promise<boolean>;
  delete(key: string): Promise<boolean>;
  /**
   * Deletes the entries with `tag` and returns their number. If a shared store is unreachable, its entries are deleted
   * when it recovers, before anything is read from it.
   */
  deleteTag(tag: string): Promise<number>;
  /** The statistics of each layer, nearest first. */
  stats(): Promise<CacheStats[]>;
  /** Stops or resumes the use of a shared store, for drills. Deletions still reach it. Absent without such a store. */
  detach?(isDetached: boolean): void;
  close(): Promise<void>;
}

export type CacheLayer = "memory" | "redis";

export interface CacheEntry {
  value: string;
  storedAt: Date;
  expiresAt: Date;
  /** `get` returns the entry until then, even after it has expired; default: `expiresAt`. */
  staleUntil?: Date;
  /** Entries with the same tag are deleted together, for example `model:smollm2-135m-instruct`, `namespace:key_abc`. */
  tags: readonly string[];
}

export interface CacheHit extends CacheEntry {
  layer: CacheLayer;
}

export interface CacheStats {
  layer: CacheLayer;
  /** degraded: unreachable, so all reads are misses. */
  status: "ok" | "degraded";
  /** When the current status began. */
  since: Date;
  entries: number;
  /** Memory: an upper bound of the entries' size. Redis: the server's memory. */
  sizeBytes: number;
  /** Time that a remote store took for its last response. */
  latencyMs?: number;
  lastError?: string;
}
