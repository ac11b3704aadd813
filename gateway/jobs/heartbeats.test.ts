import { expect, test } from "bun:test";
import { Heartbeats } from "./heartbeats";

const NOW = Date.parse("2026-12-01T12:00:00Z");
const HOUR_MS = 3_600_000;

/** Returns a check: is a worker that sent `beat` at `beatMs` alive at `ms`? The two clocks differ by `skewMs`. */
const newCheck = () => {
  const heartbeats = new Heartbeats();
  return (beat: number, beatMs: number, ms: number, skewMs = 0) =>
    heartbeats.isAlive({ id: "worker_1", beat, beatAt: new Date(NOW + beatMs) }, new Date(NOW + ms + skewMs), ms);
};

test.each([
  [59_999, true],
  [60_000, false],
])("a worker that was never seen before is judged by its last heartbeat, %d ms ago", (ms, isAlive) => {
  expect(newCheck()(1, 0, ms)).toBe(isAlive);
});

test("a worker whose clock is slow is alive once its heartbeat changes, until it stops changing", () => {
  const isAlive = newCheck();
  expect(isAlive(7, 0, 0, HOUR_MS)).toBe(false);
  expect(isAlive(7, 0, 5000, HOUR_MS)).toBe(false);
  expect(isAlive(8, 10_000, 10_000, HOUR_MS)).toBe(true);
  expect(isAlive(8, 10_000, 69_999, HOUR_MS)).toBe(true);
  expect(isAlive(8, 10_000, 70_000, HOUR_MS)).toBe(false);
});

test("a worker whose clock is fast is dead a minute after its last heartbeat", () => {
  const isAlive = newCheck();
  expect([0, 59_999, 60_000].map((ms) => isAlive(7, 0, ms, -HOUR_MS))).toEqual([true, true, false]);
});

test("resetting the clock doesn't affect known workers", () => {
  const isAlive = newCheck();
  expect(isAlive(7, 0, 0)).toBe(true);
  for (const skewMs of [HOUR_MS, -HOUR_MS]) expect(isAlive(7, 0, 30_000, skewMs)).toBe(true);
});
