import type { Log } from "../../lib/log";
import type { Cache, CacheEntry, CacheHit } from "../ports/cache";
import { guardRedis, redisClient } from "./redis-guard";

export interface RedisCacheOptions {
  /** Prefix of all keys, so that several installations can share one server. */
  prefix?: string;
  /** Logs lost and restored connections. */
  log?: Log;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Deletes one entry, or all entries with a tag. */
type Drop = { key: string } | { tag: string };

/** Receives the deletions of all gateways, so that the memory in front of a shared store serves nothing stale. */
interface DropListener {
  dropped(drop: Drop): void;
  /** Messages may have been missed, so any entry may be stale. */
  lost(): void;
}

export interface RedisCache extends Cache {
  /** Call this before `open`. The listener also receives this gateway's own deletions. */
  listen(listener: DropListener): void;
}

/** How often the subscription is tested, because a connection can break silently. */
const HEARTBEAT_MS = 5000;
/** Number of keys deleted per command during an invalidation: few enough to finish well within the timeout. */
const BATCH = 500;

/**
 * An entry is stored as one string: `storedAt expiresAt tags staleUntil` in JSON, a line break, then the unchanged value.
 * Earlier versions ignore `staleUntil`.
 */
const encode = ({ value, storedAt, expiresAt, tags, staleUntil }: CacheEntry): string =>
  `${JSON.stringify([storedAt.getTime(), expiresAt.getTime(), tags, staleUntil?.getTime()])}\n${value}`;

/** Parses a message; undefined for an unknown format, which a newer version may send. */
const parseDrop = (message: string): Drop | undefined => {
  try {
    const what: Partial<Record<"key" | "tag", unknown>> | null = JSON.parse(message);
    if (typeof what?.tag === "string") return { tag: what.tag };
    if (typeof what?.key === "string") return { key: what.key };
  } catch {
    // Invalid JSON is treated like any other unknown format.
  }
  return undefined;
};

const ignore = (): void => {};

const decode = (text: string): CacheHit | undefined => {
  const end = text.indexOf("\n");
  if (end === -1) return undefined;
  try {
    const head: [number, number, string[], (number | null)?] = JSON.parse(text.slice(0, end));
    const [storedAt, expiresAt, tags, staleUntil] = head;
    return {
      value: text.slice(end + 1),
      storedAt: new Date(storedAt),
      expiresAt: new Date(expiresAt),
      ...(staleUntil != null && { staleUntil: new Date(staleUntil) }),
      tags,
      layer: "redis",
    };
  } catch {
    return undefined; // written by something else: a miss
  }
};

/**
 * Entries shared by all gateways. A lost, killed or frozen Redis causes misses and one wait of 50 ms. Deletions
 * requested during an outage are done before the first read after it. `url` may contain user, password and database;
 * `rediss:` means TLS.
 */
export const redisCache = (
  url: string,
  { prefix = "groundwire", log, now = Date.now }: RedisCacheOptions = {},
): RedisCache => {
  const redis = redisClient(url);
  // When ioredis 6.0.0 resubscribes on its own, it doesn't catch failures, so the code below resubscribes instead.
  const subscriber = redis.duplicate({ autoResubscribe: false });
  const channel = `${prefix}:dropped`;
  const entryKey = (key: string) => `${prefix}:entry:${key}`;
  /** A sorted set of keys, with their expiry times as scores, so that writers can remove expired members. */
  const tagKey = (tag: string) => `${prefix}:tag:${tag}`;
  /** The same kind of set for all keys. Its size is the number of entries. */
  const allKeys = `${prefix}:entries`;

  const dropKey = async (key: string): Promise<number> => {
    const results = await redis.multi().unlink(entryKey(key)).zrem(allKeys, key).exec();
    return Number(results?.[0]?.[1] ?? 0);
  };

  const dropTag = async (tag: string): Promise<number> => {
    for (let dropped = 0; ; ) {
      const keys = await redis.zrange(tagKey(tag), "0", String(BATCH - 1));
      if (keys.length === 0) return dropped;
      const results = await redis
        .multi()
        .unlink(keys.map(entryKey))
        .zrem(tagKey(tag), ...keys)
        .zrem(allKeys, ...keys)
        .exec();
      dropped += Number(results?.[0]?.[1] ?? 0);
    }
  };

  const drop = async (what: Drop): Promise<number> => {
    const dropped = "tag" in what ? await dropTag(what.tag) : await dropKey(what.key);
    await redis.publish(channel, JSON.stringify(what));
    return dropped;
  };

  /** Deletions that the server has not confirmed yet. */
  const unconfirmed = new Map<string, Drop>();
  const dropSurely = async (what: Drop): Promise<number> => {
    const id = JSON.stringify(what);
    unconfirmed.set(id, what);
    const dropped = await guard.run(() => drop(what));
    if (dropped !== undefined) unconfirmed.delete(id);
    return dropped ?? 0;
  };

  const guard = guardRedis(redis, {
    user: "the cache",
    now,
    log,
    catchUp: async () => {
      for (const [id, what] of unconfirmed) {
        await drop(what);
        unconfirmed.delete(id);
      }
    },
  });

  let listener: DropListener | undefined;
  let subscribing: Promise<void> | undefined;
  const tellLost = (): void => listener?.lost();
  subscriber.on("error", ignore); // the guard already reports the server's state
  const subscribe = (): Promise<void> =>
    subscriber.subscribe(channel).then(tellLost, () => subscriber.disconnect(true));
  subscriber.on("ready", () => {
    subscribing = subscribe();
  });
  subscriber.on("message", (_channel, message) => {
    const what = parseDrop(message);
    if (!what) tellLost();
    else listener?.dropped(what);
  });
  let heartbeat: Timer | undefined;

  return {
    listen: (given) => {
      listener = given;
    },
    open: async () => {
      heartbeat = setInterval(() => void subscriber.ping().catch(ignore), HEARTBEAT_MS);
      heartbeat.unref();
      await Promise.all([guard.start(), subscriber.connect().then(() => subscribing, ignore)]);
    },
    get: async (key) => {
      const text = await guard.run(() => redis.get(entryKey(key)));
      const hit = typeof text === "string" ? decode(text) : undefined;
      return hit && (hit.staleUntil ?? hit.expiresAt).getTime() > now() ? hit : undefined;
    },
    set: async (key, entry) => {
      const keptUntil = (entry.staleUntil ?? entry.expiresAt).getTime();
      if (keptUntil <= now()) return false;
      const results = await guard.run(() => {
        const write = redis.multi().set(entryKey(key), encode(entry), "PX", keptUntil - now());
        for (const set of [allKeys, ...entry.tags.map(tagKey)]) {
          write.zadd(set, keptUntil, key).zremrangebyscore(set, "-inf", now());
        }
        return write.exec();
      });
      return results?.[0]?.[1] === "OK";
    },
    delete: async (key) => (await dropSurely({ key })) > 0,
    deleteTag: (tag) => dropSurely({ tag }),
    stats: async () => {
      const counts = await guard.run(() => Promise.all([redis.zcount(allKeys, now(), "+inf"), redis.info("memory")]));
      const [entries, memory] = counts ?? [0, ""];
      const sizeBytes = Number(/used_memory:(\d+)/.exec(memory)?.[1] ?? 0);
      return [{ layer: "redis", ...guard.state(), entries, sizeBytes }];
    },
    close: async () => {
      clearInterval(heartbeat);
      guard.stop();
      subscriber.disconnect();
      redis.disconnect();
    },
  };
};
