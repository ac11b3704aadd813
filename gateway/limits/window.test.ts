import { expect, test } from "bun:test";
import fc from "fast-check";
import { RollingWindow } from "./ledger";

const MINUTE_MS = 60_000;

/** Ascending times in milliseconds. */
const times = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 300, size: "max" }).map((gaps) => {
  let nowMs = 0;
  return gaps.map((gap) => (nowMs += gap));
});

test("no minute ever has more requests than the limit, whenever they arrive", () => {
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 20 }), (arrivals, limit) => {
      const window = new RollingWindow(MINUTE_MS);
      const admitted: number[] = [];
      for (const nowMs of arrivals) {
        if (window.used(nowMs) >= limit) continue;
        window.add(nowMs);
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
      const window = new RollingWindow(MINUTE_MS);
      for (const nowMs of arrivals) {
        const waitMs = window.fitsInMs(limit, nowMs);
        expect(waitMs === 0).toBe(window.used(nowMs) < limit);
        window.add(nowMs);
      }
      const lastMs = arrivals.at(-1) ?? 0;
      const fitsAtMs = lastMs + window.fitsInMs(limit, lastMs);
      if (fitsAtMs > lastMs) expect(window.used(fitsAtMs - 1)).toBeGreaterThanOrEqual(limit);
      expect(window.used(fitsAtMs)).toBeLessThan(limit);
    }),
  );
});

test("a request counts for at least a minute, and at most 100 ms longer", () => {
  const window = new RollingWindow(MINUTE_MS);
  window.add(50);
  expect(window.used(60_050)).toBe(1);
  expect(window.used(60_100)).toBe(0);
});
