import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { Redis } from "ioredis";
import { problemOf } from "../../tests/db/temporary";
import { type RedisServer, redisBinary, startRedis } from "../../tests/redis-server";
import { until } from "../../tests/until";
import type { Charge, LedgerStore, Limit } from "../ports/ledger";
import { ledgerContract } from "../ports/ledger.contract";
import type { Period } from "../ports/limit-window";
import { redisLedger } from "./ledger-redis";

let limits = 0;
const limitOf = (amount: number, period: Period = "minute"): Limit => ({
  counter: `limit ${++limits}`,
  amount,
  window: { period, isCalendar: false },
  isObserved: false,
});
const chargeOf = (limit: Limit, amount = 1): Charge => ({ limit, amount, least: amount });
const reserve = async (ledger: LedgerStore, ...charges: Charge[]) => (await ledger.reserve(charges, true)).reserved;
/** The reservations of `callers` parallel requests, in turns from each gateway. */
const burst = async (gateways: readonly LedgerStore[], callers: number, ...charges: Charge[]) => {
  const attempts = Array.from({ length: callers }, (_, n) =>
    reserve(gateways[n % gateways.length] as LedgerStore, ...charges),
  );
  return (await Promise.all(attempts)).filter((reserved) => reserved !== undefined);
};
const used = async (ledger: LedgerStore, limit: Limit) => (await ledger.read([limit]))[0]?.used;

describe.skipIf(!redisBinary)("with a real Redis", () => {
  let server: RedisServer;
  let prefixes = 0;
  const open: LedgerStore[] = [];
  const gateway = async (prefix: string, now?: () => number) => {
    const ledger = redisLedger(server.url, { prefix, now });
    open.push(ledger);
    await ledger.open();
    return ledger;
  };
  /** Two gateways that know each other. The one that starts last knows the other at once. */
  const pair = async () => {
    const prefix = `pair${++prefixes}`;
    const first = await gateway(prefix);
    const second = await gateway(prefix);
    await until("both know each other", () => first.state().gateways === 2 && second.state().gateways === 2);
    return [first, second] as const;
  };
  const send = async (work: (client: Redis) => Promise<unknown>): Promise<void> => {
    const client = new Redis(server.url);
    await work(client);
    client.disconnect();
  };
  const areUp = (...gateways: LedgerStore[]) =>
    until("Redis is used again", () => gateways.every((ledger) => ledger.state().status === "ok"));

  beforeAll(async () => {
    server = await startRedis();
  });
  afterEach(() => server.thaw());
  afterAll(async () => {
    await Promise.all(open.map((ledger) => ledger.close()));
    await server.stop();
  });

  ledgerContract("redis", ({ now }) => redisLedger(server.url, { prefix: `test${++prefixes}`, now }), { runs: 10 });

  test("1,000 parallel callers of one limit through two gateways: never one too many", async () => {
    const gateways = await pair();
    const [requests, slots] = [limitOf(400), limitOf(250, "active")];
    const reserved = await burst(gateways, 1000, chargeOf(requests), chargeOf(slots));
    expect(reserved).toHaveLength(250);
    expect(gateways.map((ledger) => ledger.state().status)).toEqual(["ok", "ok"]);
    for (const one of reserved) one.settle([1, 0]);
    await until("the slots are free", async () => (await used(gateways[1], slots)) === 0);
    expect(await burst(gateways, 1000, chargeOf(requests), chargeOf(slots))).toHaveLength(150);
  });

  test("L1: 32 clients through two gateways get as many requests in 3 minutes as the limit allows", async () => {
    let nowMs = Date.UTC(2026, 10, 29, 20);
    const prefix = `test${++prefixes}`;
    const gateways = [await gateway(prefix, () => nowMs), await gateway(prefix, () => nowMs)];
    const limit = limitOf(100);
    let admitted = 0;
    for (const endMs = nowMs + 180_000; nowMs < endMs; nowMs += 1000) {
      admitted += (await burst(gateways, 32, chargeOf(limit))).length;
    }
    expect(admitted).toBeLessThanOrEqual(300);
    expect(admitted).toBeGreaterThanOrEqual(294);
  });

  test("the active requests of a gateway that died or left don't count", async () => {
    let nowMs = Date.UTC(2026, 10, 29, 20);
    const prefix = `test${++prefixes}`;
    const [left, dead, alive] = [
      await gateway(prefix, () => nowMs),
      await gateway(prefix, () => nowMs),
      await gateway(prefix, () => nowMs),
    ];
    const slots = limitOf(3, "active");
    for (const ledger of [left, dead, alive]) expect(await reserve(ledger, chargeOf(slots))).toBeDefined();
    expect(await reserve(alive, chargeOf(slots))).toBeUndefined();
    await left.close();
    expect(await reserve(alive, chargeOf(slots))).toBeDefined();
    expect(await reserve(alive, chargeOf(slots))).toBeUndefined();
    nowMs += 15_001;
    expect(await reserve(alive, chargeOf(slots))).toBeDefined();
  });

  test("a gateway that is kept away from Redis enforces its share, and what it counted is added afterwards", async () => {
    const [first, second] = await pair();
    const [requests, slots] = [limitOf(100), limitOf(20, "active")];
    const before = await burst([first, second], 10, chargeOf(requests), chargeOf(slots));
    first.detach?.(true);
    expect([first.state(), second.state().status]).toMatchObject([{ status: "local", isDetached: true }, "ok"]);
    // Its share is 50, of which it has used 5.
    expect(await burst([first], 60, chargeOf(requests))).toHaveLength(45);
    for (const one of before) one.settle([1, 0]);
    expect(await used(second, requests)).toBe(10);
    const problem = await problemOf(Promise.resolve(first.reserve([chargeOf(requests)], false)));
    expect([problem.kind, problem.message]).toEqual(["unavailable", expect.stringContaining("drill")]);
    first.detach?.(false);
    await areUp(first);
    expect(await Promise.all([used(second, requests), used(second, slots)])).toEqual([55, 0]);
  });

  describe("that is lost", () => {
    test("G8: two gateways grant at most one and a half times a limit, and nothing is forgotten when it is back empty", async () => {
      const [first, second] = await pair();
      const [requests, day] = [limitOf(100), limitOf(100, "day")];
      const charges = [chargeOf(requests), chargeOf(day)];
      expect(await burst([first], 70, ...charges)).toHaveLength(70);
      await server.kill();
      const local = await burst([first, second], 1000, ...charges);
      // The share of each is 50: the first has used it already, the second has not.
      expect(local).toHaveLength(50);
      expect([first.state().status, second.state().status]).toEqual(["local", "local"]);
      const [reading] = await second.read([requests]);
      expect([reading?.used, (reading?.fitsInMs ?? 0) > 0]).toEqual([100, true]);
      local[0]?.settle([0, 0]);

      await server.start();
      await areUp(first, second);
      // Both have told Redis what they counted: 70 and 49.
      await until("all is counted again", async () => (await used(first, requests)) === 119);
      expect(await used(second, day)).toBe(119);
      expect(await burst([first, second], 100, ...charges)).toHaveLength(0);
    });

    test("a frozen server delays a request by its timeout, and gets what was used meanwhile", async () => {
      const [first, second] = await pair();
      const [requests, slots] = [limitOf(100), limitOf(10, "active")];
      const before = await burst([first, second], 10, chargeOf(requests), chargeOf(slots));
      server.freeze();
      const startedAt = performance.now();
      const during = await reserve(first, chargeOf(requests));
      const delayMs = performance.now() - startedAt;
      expect(during).toBeDefined();
      expect(delayMs).toBeLessThan(1000);
      expect(first.state().status).toBe("local");
      for (const one of before.slice(0, 4)) one.settle([1, 0]);
      server.thaw();
      await areUp(first, second);
      // The reservation whose reply was lost may count twice, never too little.
      await until("the requests are counted", async () => [11, 12].includes((await used(second, requests)) ?? 0));
      await until("the active requests are known", async () => (await used(second, slots)) === 6);
    });

    test("a request that ends during a long loss holds no slot afterwards", async () => {
      let nowMs = Date.UTC(2026, 10, 29, 20);
      const ledger = await gateway(`test${++prefixes}`, () => nowMs);
      const slots = limitOf(1, "active");
      const held = await reserve(ledger, chargeOf(slots));
      server.freeze();
      await reserve(ledger, chargeOf(limitOf(1)));
      held?.settle([0]);
      // So long that the gateway has forgotten the unused counter.
      nowMs += 61_000;
      await reserve(ledger, chargeOf(limitOf(1)));
      server.thaw();
      await areUp(ledger);
      expect(await used(ledger, slots)).toBe(0);
    });

    test("a request that is refused because its reply is lost holds no slot afterwards", async () => {
      const ledger = await gateway(`test${++prefixes}`);
      const slots = limitOf(1, "active");
      server.freeze();
      await problemOf(Promise.resolve(ledger.reserve([chargeOf(slots)], false)));
      server.thaw();
      await areUp(ledger);
      await until("the slot is free", async () => (await used(ledger, slots)) === 0);
      expect(await reserve(ledger, chargeOf(slots))).toBeDefined();
    });

    test("what was counted is restored if Redis loses its data while it runs", async () => {
      const [first, second] = await pair();
      const [requests, slots] = [limitOf(100), limitOf(10, "active")];
      await burst([first, second], 7, chargeOf(requests), chargeOf(slots));
      await send((client) => client.flushall());
      await until("all is counted again", async () => (await used(first, requests)) === 7);
      await until("the active requests are known", async () => (await used(second, slots)) === 7);
    });

    test("a server that accepts no writes is a loss, too, and is shown", async () => {
      const [first, second] = await pair();
      await send((client) => client.config("SET", "min-replicas-to-write", "1"));
      const limit = limitOf(10);
      expect(await burst([first, second], 30, chargeOf(limit))).toHaveLength(10);
      expect([first.state().status, second.state().status]).toEqual(["local", "local"]);
      await send((client) => client.config("SET", "min-replicas-to-write", "0"));
      await areUp(first, second);
    });

    test("a key that must not go on without it is refused, and told when to try again", async () => {
      const [first] = await pair();
      server.freeze();
      await reserve(first, chargeOf(limitOf(1)));
      const problem = await problemOf(Promise.resolve(first.reserve([chargeOf(limitOf(5))], false)));
      expect([problem.kind, problem.detail.retryAfterMs, problem.message]).toEqual([
        "unavailable",
        1000,
        expect.stringContaining("on_store_loss"),
      ]);
    });

    test("a request larger than a share has to wait for Redis, not for ever", async () => {
      const [first] = await pair();
      server.freeze();
      const { reserved, readings } = await first.reserve([chargeOf(limitOf(100), 60)], true);
      expect([reserved, readings[0]?.fitsInMs]).toEqual([undefined, 5000]);
    });
  });
});
