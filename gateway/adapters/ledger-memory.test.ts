import { expect, test } from "bun:test";
import fc from "fast-check";
import { addLimitUsage, listLimitUsage } from "../../db/limit-usage";
import { temporaryDb } from "../../tests/db/temporary";
import { until } from "../../tests/until";
import type { Charge, Limit } from "../ports/ledger";
import { ledgerContract } from "../ports/ledger.contract";
import { memoryLedger } from "./ledger-memory";
import { Counter } from "./limit-counter";

ledgerContract("memory", ({ now }) => memoryLedger({ now, monotonic: now }), { runs: 200 });

const MINUTE_MS = 60_000;
const ROLLING_MINUTE = { period: "minute", isCalendar: false } as const;

/** Ascending times in milliseconds. */
const times = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 300, size: "max" }).map((gaps) => {
  let nowMs = 0;
  return gaps.map((gap) => (nowMs += gap));
});

test("no minute ever has more requests than the limit, whenever they arrive", () => {
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 20 }), (arrivals, limit) => {
      const window = new Counter(ROLLING_MINUTE);
      const admitted: number[] = [];
      for (const nowMs of arrivals) {
        if (window.usedAt(nowMs) >= limit) continue;
        window.add(nowMs, 1);
        admitted.push(nowMs);
      }
      for (const startMs of admitted) {
        const inSpan = admitted.filter((atMs) => atMs >= startMs && atMs < startMs + MINUTE_MS);
        expect(inSpan.length).toBeLessThanOrEqual(limit);
      }
    }),
  );
});

test("a request is accepted exactly at the predicted time", () => {
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 20 }), (arrivals, limit) => {
      const window = new Counter(ROLLING_MINUTE);
      for (const nowMs of arrivals) {
        const waitMs = window.fitsInMs(limit - 1, nowMs);
        expect(waitMs === 0).toBe(window.usedAt(nowMs) < limit);
        window.add(nowMs, 1);
      }
      const lastMs = arrivals.at(-1) ?? 0;
      const fitsAtMs = lastMs + window.fitsInMs(limit - 1, lastMs);
      if (fitsAtMs > lastMs) expect(window.usedAt(fitsAtMs - 1)).toBeGreaterThanOrEqual(limit);
      expect(window.usedAt(fitsAtMs)).toBeLessThan(limit);
    }),
  );
});

test("a request counts for at least a minute, and at most 100 ms longer", () => {
  const window = new Counter(ROLLING_MINUTE);
  window.add(50, 1);
  expect(window.usedAt(60_050)).toBe(1);
  expect(window.usedAt(60_100)).toBe(0);
});

const chargeOf = (limit: Limit, amount: number): Charge => ({ limit, amount, least: amount });

test("counters that nothing uses are removed", () => {
  let nowMs = 0;
  const ledger = memoryLedger({ now: () => nowMs, monotonic: () => nowMs });
  const limitOf = (counter: string, period: "minute" | "active"): Limit => ({
    counter,
    amount: 10,
    window: { period, isCalendar: false },
    isObserved: false,
  });
  const reserve = (name: string) =>
    ledger.reserve([
      chargeOf(limitOf(`${name} requests`, "minute"), 1),
      chargeOf(limitOf(`${name} slots`, "active"), 1),
    ]);
  for (let n = 0; n < 1000; n++) reserve(`key_${n}`).reserved?.settle([1, 0]);
  const running = reserve("running").reserved;
  expect(ledger.counters.size).toBe(2002);
  nowMs += 2 * MINUTE_MS;
  reserve("new");
  // The minute of the running request has passed, but the request will be settled.
  expect(ledger.counters.size).toBe(4);
  running?.settle([1, 0]);
});

const budgetsOf = (key: string): Limit[] => [
  { counter: `${key} day`, amount: 100, window: { period: "day", isCalendar: true }, isObserved: false },
  { counter: `${key} month`, amount: 1000, window: { period: "month", isCalendar: false }, isObserved: false },
  { counter: `${key} total`, amount: 5000, window: { period: "total", isCalendar: false }, isObserved: false },
  { counter: `${key} minute`, amount: 50, window: { period: "minute", isCalendar: false }, isObserved: false },
  { counter: `${key} slots`, amount: 5, window: { period: "active", isCalendar: false }, isObserved: false },
];

test("budgets survive a restart and a crash, and are written at most once a second", async () => {
  const db = await temporaryDb();
  let nowMs = Date.UTC(2026, 10, 29, 20);
  let writes = 0;
  const open = async () => {
    const ledger = memoryLedger({
      now: () => nowMs,
      monotonic: () => nowMs,
      storage: {
        load: (atMs) => listLimitUsage(db, atMs),
        add: (rows) => {
          writes++;
          return addLimitUsage(db, rows, nowMs);
        },
      },
    });
    await ledger.open();
    return ledger;
  };
  const budgets = budgetsOf("key_a");
  const reserve = (ledger: Awaited<ReturnType<typeof open>>, amount: number) =>
    ledger.reserve(budgets.map((limit) => chargeOf(limit, limit.window.period === "active" ? 1 : amount))).reserved;
  const used = (ledger: Awaited<ReturnType<typeof open>>) => ledger.read(budgets).map((reading) => reading.used);

  const first = await open();
  for (let n = 0; n < 20; n++) reserve(first, 2)?.settle([1, 1, 1, 1, 0]);
  expect(writes).toBe(0);
  await first.close();
  expect(writes).toBe(1);

  const second = await open();
  expect(used(second)).toEqual([20, 20, 20, 0, 0]);
  const running = reserve(second, 30);
  await until("the running request is saved", () => writes > 1);
  // It crashes: what was saved stays, and the running request counts in full.
  const third = await open();
  expect(used(third)).toEqual([50, 50, 50, 0, 0]);
  nowMs = Date.UTC(2026, 10, 30);
  expect(used(third)).toEqual([0, 50, 50, 0, 0]);
  nowMs += 31 * 86_400_000;
  expect(used(third)).toEqual([0, 0, 50, 0, 0]);
  reserve(third, 1)?.settle([1, 1, 1, 1, 0]);
  await third.close();
  expect((await listLimitUsage(db, 0)).map(({ counter, amount }) => [counter, amount]).toSorted()).toEqual([
    ["key_a day", 1],
    ["key_a month", 1],
    ["key_a total", 51],
  ]);
  running?.settle([0, 0, 0, 0, 0]);
  await second.close();
  await db.close();
});

test("what could not be saved is saved later", async () => {
  const db = await temporaryDb();
  const errors: unknown[] = [];
  const ledger = memoryLedger({
    onError: (error) => errors.push(error),
    storage: {
      load: async () => [],
      add: (rows) => {
        if (errors.length === 0) throw new Error("The disk is full.");
        return addLimitUsage(db, rows, Date.now());
      },
    },
  });
  await ledger.open();
  const [day] = budgetsOf("key_a");
  ledger.reserve([chargeOf(day as Limit, 7)]).reserved?.settle([3]);
  await until("a write has failed", () => errors.length === 1);
  await ledger.close();
  expect((await listLimitUsage(db, Date.now())).map(({ amount }) => amount)).toEqual([3]);
  await db.close();
});
