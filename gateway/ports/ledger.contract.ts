import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Charge, LedgerStore, Limit, Reservation } from "./ledger";
import type { Period } from "./limit-window";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A Sunday, in the middle of a minute that is in the middle of an hour. */
const STARTED_MS = Date.UTC(2026, 10, 29, 20, 30, 30, 50);

interface LedgerOptions {
  now(): number;
}

/** Guarantees of every ledger. `create` returns an empty ledger that is not open yet, and that uses the given time. */
export const ledgerContract = (
  name: string,
  create: (options: LedgerOptions) => LedgerStore | Promise<LedgerStore>,
  { runs }: { runs: number },
): void => {
  describe(`ledger: ${name}`, () => {
    let ledger: LedgerStore;
    let nowMs: number;
    let limits = 0;
    beforeEach(async () => {
      nowMs = STARTED_MS;
      ledger = await create({ now: () => nowMs });
      await ledger.open();
    });
    afterEach(() => ledger.close());

    const limit = (amount: number, period: Period = "minute", fields: Partial<Limit> = {}): Limit => ({
      counter: `limit ${++limits}`,
      amount,
      window: { period, isCalendar: false },
      isObserved: false,
      ...fields,
    });
    const charge = (limit: Limit, amount = 1, least = amount): Charge => ({ limit, amount, least });
    const tryReserve = async (...charges: Charge[]) => ledger.reserve(charges, true);
    const reserve = async (...charges: Charge[]): Promise<Reservation> => {
      const { reserved, readings } = await tryReserve(...charges);
      if (!reserved) throw new Error(`Refused: ${JSON.stringify(readings)}`);
      return reserved;
    };
    const refuse = async (...charges: Charge[]) => {
      const { reserved, readings } = await tryReserve(...charges);
      expect(reserved).toBeUndefined();
      return readings;
    };
    const used = async (...of: Limit[]) => (await ledger.read(of)).map((reading) => reading.used);
    /** Waits until settled amounts are counted. A shared store counts them in the background. */
    const expectUsed = async (wanted: number[], ...of: Limit[]): Promise<void> => {
      for (let i = 0; i < 100 && String(await used(...of)) !== String(wanted); i++) await Bun.sleep(5);
      expect(await used(...of)).toEqual(wanted);
    };

    test("reserves all charges or none", async () => {
      const [wide, narrow, slots] = [limit(100), limit(3), limit(5, "active")];
      await reserve(charge(wide, 10), charge(narrow, 2), charge(slots));
      const readings = await refuse(charge(wide, 10), charge(narrow, 2), charge(slots));
      expect(readings.map(({ used, fitsInMs }) => [used, fitsInMs > 0])).toEqual([
        [10, false],
        [2, true],
        [1, false],
      ]);
      expect(await used(wide, narrow, slots)).toEqual([10, 2, 1]);
    });

    test("grants the rest of a limit where less is enough", async () => {
      const tokens = limit(100);
      expect((await reserve(charge(tokens, 70, 20))).granted).toEqual([70]);
      expect((await reserve(charge(tokens, 70, 20))).granted).toEqual([30]);
      await refuse(charge(tokens, 70, 20));
    });

    test("settling returns what was not used, adds what was used in excess, and happens once", async () => {
      const [tokens, slots] = [limit(100), limit(1, "active")];
      const first = await reserve(charge(tokens, 60), charge(slots));
      await refuse(charge(slots));
      first.settle([10, 0]);
      first.settle([0, 0]);
      await expectUsed([10, 0], tokens, slots);
      (await reserve(charge(tokens, 20), charge(slots))).settle([200, 0]);
      await expectUsed([210, 0], tokens, slots);
      await refuse(charge(tokens));
    });

    test("what was reserved leaves a rolling window exactly when it was said to, and settling later returns nothing", async () => {
      const tokens = limit(10);
      const first = await reserve(charge(tokens, 6));
      nowMs += 1000;
      await reserve(charge(tokens, 4));
      const [refused] = await refuse(charge(tokens, 5));
      expect(refused).toEqual({
        used: 10,
        fitsInMs: MINUTE_MS - 950,
        changesInMs: MINUTE_MS - 950,
        emptyInMs: MINUTE_MS + 50,
      });
      nowMs += MINUTE_MS - 951;
      await refuse(charge(tokens, 5));
      nowMs += 1;
      await reserve(charge(tokens, 5));
      first.settle([1]);
      await expectUsed([9], tokens);
    });

    test("rolling windows of an hour, a day and 30 days end at most a 120th too late", async () => {
      for (const [period, lengthMs] of [
        ["hour", 60 * MINUTE_MS],
        ["day", DAY_MS],
        ["month", 30 * DAY_MS],
      ] as const) {
        const requests = limit(1, period);
        await reserve(charge(requests));
        const [refused] = await refuse(charge(requests));
        expect(refused?.fitsInMs).toBeGreaterThanOrEqual(lengthMs);
        expect(refused?.fitsInMs).toBeLessThanOrEqual(lengthMs * (1 + 1 / 120));
        nowMs += lengthMs - 1;
        await refuse(charge(requests));
        nowMs += lengthMs / 120 + 1;
        await reserve(charge(requests));
      }
    });

    test.each([
      ["hour", Date.UTC(2026, 10, 29, 21)],
      ["day", Date.UTC(2026, 10, 30)],
      ["month", Date.UTC(2026, 11, 1)],
    ] as const)("a calendar %s ends when the next one begins, in UTC", async (period, endsMs) => {
      const requests = limit(2, period, { window: { period, isCalendar: true } });
      await reserve(charge(requests));
      nowMs = endsMs - 1;
      await reserve(charge(requests));
      const [refused] = await refuse(charge(requests));
      expect(refused).toEqual({ used: 2, fitsInMs: 1, changesInMs: 1, emptyInMs: 1 });
      nowMs = endsMs;
      await reserve(charge(requests, 2));
      await refuse(charge(requests));
    });

    test("a calendar period goes on if the clock is set back", async () => {
      const requests = limit(2, "day", { window: { period: "day", isCalendar: true } });
      await reserve(charge(requests, 2));
      nowMs -= DAY_MS;
      await refuse(charge(requests));
    });

    test("a total never frees", async () => {
      const money = limit(5, "total");
      await reserve(charge(money, 5));
      nowMs += 400 * DAY_MS;
      const [refused] = await refuse(charge(money));
      expect([refused?.used, refused?.fitsInMs]).toEqual([5, Number.POSITIVE_INFINITY]);
    });

    test("an observed limit counts, but never refuses", async () => {
      const [observed, enforced] = [limit(1, "minute", { isObserved: true }), limit(3)];
      for (let n = 0; n < 3; n++) await reserve(charge(observed, 2), charge(enforced));
      await refuse(charge(observed, 2), charge(enforced));
      const [reading] = await ledger.read([observed]);
      expect([reading?.used, (reading?.fitsInMs ?? 0) > 0]).toEqual([6, true]);
    });

    test("a changed amount applies to what was used before", async () => {
      const before = limit(5);
      await reserve(charge(before, 5));
      await refuse(charge({ ...before, amount: 4 }));
      await reserve(charge({ ...before, amount: 6 }));
      expect(await used(before)).toEqual([6]);
    });

    test("reading doesn't count", async () => {
      const requests = limit(1);
      for (let n = 0; n < 5; n++) expect(await used(requests)).toEqual([0]);
      const { readings } = await tryReserve(charge(requests, 0));
      expect(readings[0]?.used).toBe(0);
      (await reserve(charge(requests))).settle([5]);
      await expectUsed([5], requests);
      // Not even an exceeded limit refuses a charge of nothing.
      await reserve(charge(requests, 0), charge(limit(1)));
    });

    test("1,000 parallel callers of one limit: never one too many", async () => {
      const [requests, slots] = [limit(400), limit(250, "active")];
      const outcomes = await Promise.all(
        Array.from({ length: 1000 }, () => tryReserve(charge(requests), charge(slots))),
      );
      const reserved = outcomes.flatMap((outcome) => outcome.reserved ?? []);
      expect(reserved).toHaveLength(250);
      for (const one of reserved) one.settle([1, 0]);
      await expectUsed([250, 0], requests, slots);
      const later = await Promise.all(Array.from({ length: 1000 }, () => tryReserve(charge(requests), charge(slots))));
      expect(later.filter(({ reserved }) => reserved)).toHaveLength(150);
    });

    test("parallel callers never exceed a limit of any window, whatever they reserve and use", async () => {
      const windows: Limit["window"][] = [
        ...(["active", "minute", "hour", "day", "month", "total"] as const).map((period) => ({
          period,
          isCalendar: false,
        })),
        ...(["hour", "day", "month"] as const).map((period) => ({ period, isCalendar: true })),
      ];
      const caller = fc.record({
        window: fc.nat(windows.length - 1),
        amount: fc.integer({ min: 1, max: 9 }),
        least: fc.integer({ min: 1, max: 9 }),
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        waitMs: fc.constantFrom(0, 0, 40, 3000),
      });
      const callers = fc.array(caller, { minLength: 1, maxLength: 60, size: "max" });
      await fc.assert(
        fc.asyncProperty(callers, fc.integer({ min: 5, max: 40 }), async (calls, amount) => {
          const of = windows.map((window) => limit(amount, window.period, { window }));
          const held = of.map(() => 0);
          await Promise.all(
            calls.map(async ({ window, share, waitMs, ...wanted }) => {
              const [own, other] = [of[window] as Limit, of[(window + 1) % of.length] as Limit];
              nowMs += waitMs;
              const least = Math.min(wanted.least, wanted.amount);
              const { reserved } = await tryReserve(charge(own, wanted.amount, least), charge(other));
              if (!reserved) return;
              const [granted = 0] = reserved.granted;
              expect(granted).toBeGreaterThanOrEqual(least);
              held[window] = (held[window] ?? 0) + granted;
              if (own.window.period === "active") expect(held[window]).toBeLessThanOrEqual(amount);
              await Promise.resolve();
              const used = own.window.period === "active" ? 0 : Math.floor(granted * share);
              held[window] = (held[window] ?? 0) - granted;
              reserved.settle([used, other.window.period === "active" ? 0 : 1]);
            }),
          );
          for (const sum of await used(...of)) expect(sum).toBeLessThanOrEqual(amount);
          await expectUsed([0], of[0] as Limit);
        }),
        { numRuns: runs },
      );
    });
  });
};
