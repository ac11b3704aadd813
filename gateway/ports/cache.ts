/** A shared or local store of bytes with a lifetime. An adapter never throws and never makes a caller wait over 50 ms: what it can't read is a miss. */
export interface Cache {
  open(): Promise<void>;
  get(key: string): Promise<CacheEntry | undefined>;
  /** Keeps `value` for `ttlMs`. Entries carry tags; a tag's entries are dropped together. */
  set(key: string, entry: CacheEntry, ttlMs: number): Promise<void>;
  delete(key: string): Promise<boolean>;
  /** Drops every entry that carries `tag` and answers how many there were. */
  deleteTag(tag: string): Promise<number>;
  stats(): Promise<CacheStats>;
  close(): Promise<void>;
}

export interface CacheEntry {
  value: string;
  storedAt: Date;
  /** For example `model:smollm2-135m-instruct@b179c9523d0e`, `namespace:key_abc`. */
  tags: string[];
}

export interface CacheStats {
  kind: "memory" | "redis";
  /** degraded: reachable at start or before, not now; all reads miss. */
  status: "ok" | "degraded";
  /** Since when the status holds. */
  since: Date;
  entries: number;
  sizeBytes: number;
  latencyMs?: number;
  lastError?: string;
}
