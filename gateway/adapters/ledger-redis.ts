import { setImmediate as nextTurn } from "node:timers/promises";
import type { Redis } from "ioredis";
import { AppError } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { Semaphore } from "../../lib/semaphore";
import type { Charge, LedgerStore, Limit, Reading, Refused, Reservation, Reserved } from "../ports/ledger";
import { leavesAt } from "../ports/limit-window";
import { memoryLedger } from "./ledger-memory";
import { itemOf, LEDGER_SCRIPT, readReply } from "./ledger-redis-script";
import { type Adjustment, type Item, Unsent } from "./ledger-redis-unsent";
import { guardRedis, redisClient } from "./redis-guard";

export interface RedisLedgerOptions {
  /** Prefix of all keys, so that several installations can share one server. */
  prefix?: string;
  /** Logs lost and restored connections. */
  log?: Log;
  /** For tests: replaces Redis's own time, in milliseconds since 1970. */
  now?: () => number;
}

/** Interval of a gateway's heartbeats. After 15 seconds without one, its active requests don't count. */
const HEARTBEAT_MS = 1000;
/**
 * Commands in flight. More wait here: in Redis's queue, those of a burst would time out although nothing is wrong.
 */
const MAX_IN_FLIGHT = 32;
/** A reply that a busy process read too late has arrived within this time after its timeout. */
const SECOND_CHANCE_MS = 5;
/** How long a refused command counts as a loss: Redis may reply, but not accept writes. */
const REFUSED_MS = 1000;
/** Wait for a request that is larger than a gateway's share: Redis may be back by then. */
const RETRY_MS = 5000;

interface ScriptedRedis extends Redis {
  ledger(numberOfKeys: number, ...keysAndArguments: string[]): Promise<number[]>;
}

/**
 * The ledger of all gateways: every step is one script in Redis. Each gateway also counts its own use in memory. While
 * Redis is lost, the requests of keys that allow it are checked against that: each gateway grants its share of a limit,
 * less what it has used already. So in one window, n gateways grant at most (2 - 1/n) times the limit. When Redis is
 * back, what was used meanwhile is added; if Redis has lost its data, everything that the gateways have counted.
 */
export const redisLedger = (url: string, { prefix = "groundwire", log, now }: RedisLedgerOptions = {}): LedgerStore => {
  const redis = redisClient(url) as ScriptedRedis;
  redis.defineCommand("ledger", { lua: LEDGER_SCRIPT });
  const gateway = crypto.randomUUID();
  const timeNow = now ?? Date.now;
  const own = memoryLedger({ now: timeNow, monotonic: now });
  let gateways = 1;
  /** Redis lacks this gateway's counts. */
  let hasLostData = false;
  /** The last time that a request was checked locally although Redis responds. */
  let refused = { since: new Date(0), untilMs: 0 };
  let heartbeat: Timer | undefined;
  /** Since when a drill keeps this gateway away from Redis. */
  let detachedSince: Date | undefined;

  const send = (step: string, items: readonly Item[] = []) =>
    redis.ledger(
      items.length + 1,
      `${prefix}:gateways`,
      ...items.map(([counter]) => `${prefix}:limits:${counter}`),
      ...[step, gateway, now ? String(now()) : ""],
      ...items.flatMap(([, ...values]) => values.map(String)),
    );

  const unsent = new Unsent({ send, active: (counter) => own.counters.get(counter)?.usedAt(0) ?? 0, now: timeNow });

  /** Changes the counters in Redis, now or when it is back. Active requests are set as a whole then. */
  const change = async (changes: readonly Adjustment[]): Promise<void> => {
    if (changes.length === 0) return;
    const isUp = isShared();
    const confirmed = isUp && (await guard.run(async () => unsent.adjust(changes).then(() => true)));
    if (confirmed) return;
    for (const one of changes) {
      if (one.window.period === "active") unsent.doubt(one.counter);
      // A change without a reply may have been made. Returning an amount twice could exceed a limit.
      else if (!isUp || one.more > 0) unsent.keep(one);
    }
  };

  /** Everything that this gateway has counted. */
  const allOfOwn = (): Adjustment[] =>
    [...own.counters].flatMap(([id, counter]) =>
      counter.window.period === "active"
        ? []
        : [...counter.steps()].map(({ leavesAtMs, amount }) => ({
            counter: id,
            window: counter.window,
            at: wireTime(leavesAtMs),
            more: amount,
          })),
    );

  const doubtActive = (): void => {
    for (const [id, { window }] of own.counters) if (window.period === "active") unsent.doubt(id);
  };

  /** Sends a heartbeat and the changes that Redis lacks: everything, if Redis has lost this gateway's counters. */
  const beat = async (): Promise<void> => {
    const [isKnown, alive = 1] = await send("beat");
    gateways = Math.max(1, alive);
    hasLostData ||= !isKnown;
    if (hasLostData) {
      unsent.forgetChanges();
      await unsent.adjust(allOfOwn());
    }
    await unsent.sendChanges();
    if (hasLostData) doubtActive();
    hasLostData = false;
    await unsent.sendActive();
  };

  const catchUp = async (): Promise<void> => {
    // Replies that arrived before the server was lost are counted first.
    await nextTurn();
    doubtActive();
    await beat();
  };
  const guard = guardRedis(redis, { user: "the ledger of limits", now: timeNow, log, catchUp });
  const isShared = (): boolean => !detachedSince && guard.state().status === "ok";

  const commands = new Semaphore(MAX_IN_FLIGHT);
  /** Runs one step for a request; undefined while Redis is lost. */
  const ask = (step: "reserve" | "read", charges: readonly Charge[]) =>
    commands.run(async () => {
      if (!isShared()) return undefined;
      const attempt = () => guard.run(() => send(step, charges.map(itemOf)));
      const first = await attempt();
      if (first) return readReply(first);
      // It may have been made although its reply is lost.
      if (step === "reserve") {
        for (const { limit } of charges) if (limit.window.period === "active") unsent.doubt(limit.counter);
      }
      const second = await Bun.sleep(SECOND_CHANCE_MS).then(attempt);
      return second && readReply(second);
    });

  /** Settles here and in Redis. */
  const reservationOf = (charges: readonly Charge[], ats: readonly number[], local: Reservation): Reservation => {
    let isSettled = false;
    return {
      granted: local.granted,
      settle(used) {
        if (isSettled) return;
        isSettled = true;
        local.settle(used);
        const changes = charges.flatMap(({ limit: { counter, window } }, index): Adjustment[] => {
          const more = (used[index] ?? 0) - (local.granted[index] ?? 0);
          return more === 0 ? [] : [{ counter, window, at: ats[index] ?? 0, more }];
        });
        void change(changes);
      },
    };
  };

  const share = (amount: number): number => Math.max(1, Math.floor(amount / gateways));

  /** The reading of a share as one of the whole limit: the others may have used the rest. */
  const readingOfShare = (limit: Limit, reading: Reading): Reading => ({
    ...reading,
    used: reading.used + limit.amount - share(limit.amount),
    fitsInMs:
      reading.fitsInMs === Number.POSITIVE_INFINITY && limit.window.period !== "total" ? RETRY_MS : reading.fitsInMs,
  });

  const reserveShare = (charges: readonly Charge[]): Reserved | Refused => {
    if (isShared()) {
      const nowMs = Date.now();
      refused = { since: nowMs < refused.untilMs ? refused.since : new Date(nowMs), untilMs: nowMs + REFUSED_MS };
    }
    const shares = charges.map((one) => ({ ...one, limit: { ...one.limit, amount: share(one.limit.amount) } }));
    const outcome = own.reserve(shares);
    const readings = charges.map(({ limit }, index) => readingOfShare(limit, outcome.readings[index] as Reading));
    const { reserved } = outcome;
    if (!reserved) return { readings };
    const ats = charges.map(({ limit }) => wireTime(leavesAt(limit.window, timeNow())));
    void change(
      charges.map(({ limit: { counter, window } }, index) => {
        return { counter, window, at: ats[index] ?? 0, more: reserved.granted[index] ?? 0 };
      }),
    );
    return { readings, reserved: reservationOf(charges, ats, reserved) };
  };

  return {
    async open() {
      heartbeat = setInterval(() => void (detachedSince ?? guard.run(beat)), HEARTBEAT_MS);
      heartbeat.unref();
      await guard.start();
    },

    async reserve(charges, mayGoLocal) {
      const reply = await ask("reserve", charges);
      if (reply) {
        const { fits, readings, granted, ats } = reply;
        return fits ? { readings, reserved: reservationOf(charges, ats, own.record(charges, granted)) } : { readings };
      }
      if (mayGoLocal) return reserveShare(charges);
      throw new AppError(
        "unavailable",
        `${detachedSince ? "An admin is running a drill without Redis (limits_local)" : "Redis, which holds the limit counters of all gateways, is not responding"}, and this key requires it. Try again in a moment, or ask an admin to set the key's on_store_loss to local.`,
        { retryAfterMs: 1000 },
      );
    },

    async read(limits) {
      const charges = limits.map((limit) => ({ limit, amount: 1, least: 1 }));
      const reply = await ask("read", charges);
      if (reply) return reply.readings;
      const shares = limits.map((limit) => ({ ...limit, amount: share(limit.amount) }));
      return own.read(shares).map((reading, index) => readingOfShare(limits[index] as Limit, reading));
    },

    state() {
      const { status, since } = guard.state();
      if (status !== "ok") return { status: "local", since, gateways };
      if (detachedSince) return { status: "local", since: detachedSince, gateways, isDetached: true };
      const isRefusing = Date.now() < refused.untilMs;
      return { status: isRefusing ? "local" : "ok", since: isRefusing ? refused.since : since, gateways };
    },

    detach(isDetached) {
      const before = detachedSince;
      if (isDetached) detachedSince = new Date(timeNow());
      else {
        void guard.run(catchUp).finally(() => {
          // Another drill may have started.
          if (detachedSince === before) detachedSince = undefined;
        });
      }
    },

    async close() {
      clearInterval(heartbeat);
      // The others need not wait for missed heartbeats.
      await guard.run(() => redis.zrem(`${prefix}:gateways`, gateway));
      guard.stop();
      redis.disconnect();
      await own.close();
    },
  };
};

/** Times in Redis are numbers, and 0 means never. */
const wireTime = (leavesAtMs: number): number => (leavesAtMs === Number.POSITIVE_INFINITY ? 0 : leavesAtMs);
