import { Redis, type RedisOptions, ReplyError } from "ioredis";
import type { Log } from "../../lib/log";
import type { CacheStats } from "../ports/cache";

/** Interval between attempts to reach a server that doesn't respond. */
const PROBE_MS = 250;

/** Maximum time that a caller waits. In a busy process, the timer adds a few milliseconds. */
const COMMAND_TIMEOUT_MS = 50;
/** A connection that doesn't answer a command within this time is closed and reopened. */
const SILENCE_MS = 1000;

/** A client that never makes a caller wait longer than 50 ms. `url` as in `REDIS_URL`. Not connected yet. */
export const redisClient = (url: string, options: RedisOptions = {}): Redis =>
  new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    socketTimeout: SILENCE_MS,
    connectTimeout: SILENCE_MS,
    retryStrategy: (attempt) => Math.min(2000, 50 * 2 ** Math.min(attempt, 6)),
    ...options,
  });

interface GuardOptions {
  /** The part that uses the server, for the log: `the cache`. */
  user: string;
  /** Runs when the server responds again, before any other command. If it throws, the guard keeps blocking commands. */
  catchUp(): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
  log?: Log;
}

export interface RedisGuard {
  /** Connects. Resolves when the server has responded or the first attempt has failed. */
  start(): Promise<void>;
  /** The result of `command`; undefined if the server is unreachable, times out or returns an error. */
  run<T>(command: () => Promise<T>): Promise<T | undefined>;
  state(): Pick<CacheStats, "status" | "since" | "latencyMs" | "lastError">;
  stop(): void;
}

/**
 * A circuit breaker for a Redis that may be lost or frozen. After a command times out, no more are sent until a
 * background ping succeeds. So a frozen server costs one timeout, not one per request.
 */
export const guardRedis = (redis: Redis, { user, catchUp, now, log }: GuardOptions): RedisGuard => {
  let isUp = false;
  let since = new Date(now());
  let latencyMs: number | undefined;
  let lastError: string | undefined;
  let timer: Timer | undefined;
  let probing: Promise<void> | undefined;
  let isStopped = false;

  const turn = (up: boolean): void => {
    if (up === isUp) return;
    isUp = up;
    since = new Date(now());
    if (isStopped) return;
    if (up) log?.info(`Redis is responding: ${user} is shared again`);
    else log?.warn({ reason: lastError }, `Redis is not responding: ${user} continues without it`);
  };

  const probeLater = (): void => {
    if (timer !== undefined || isStopped) return;
    timer = setTimeout(() => {
      timer = undefined;
      void probe();
    }, PROBE_MS);
    timer.unref();
  };

  const shut = (error: unknown): void => {
    lastError = error instanceof Error ? error.message : String(error);
    turn(false);
    probeLater();
  };

  const ask = async (): Promise<void> => {
    try {
      const startedAt = performance.now();
      await redis.ping();
      latencyMs = performance.now() - startedAt;
      await catchUp();
      turn(true);
    } catch (error) {
      shut(error);
    } finally {
      probing = undefined;
    }
  };
  const probe = (): Promise<void> => {
    probing ??= ask();
    return probing;
  };

  redis.on("ready", () => void probe());
  redis.on("close", () => !isStopped && shut(lastError ?? "The connection was lost."));
  redis.on("error", (error) => {
    lastError = error.message;
  });

  return {
    start: async () => {
      await redis.connect().then(probe, shut);
      if (!isUp) log?.warn({ reason: lastError }, `Redis is not responding: ${user} starts without it`);
    },
    run: async (command) => {
      if (!isUp) return undefined;
      const startedAt = performance.now();
      try {
        const result = await command();
        latencyMs = performance.now() - startedAt;
        return result;
      } catch (error) {
        // An error reply (out of memory, read-only) is a response too: the next command may succeed.
        if (error instanceof Error && error instanceof ReplyError) lastError = error.message;
        else {
          shut(error);
          // Probe immediately, because this process may have been too busy to read the reply in time.
          void probe();
        }
        return undefined;
      }
    },
    state: () => ({ status: isUp ? "ok" : "degraded", since, latencyMs, lastError }),
    stop: () => {
      isStopped = true;
      turn(false);
      clearTimeout(timer);
    },
  };
};
