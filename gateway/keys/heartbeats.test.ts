import { expect, test } from "bun:test";
import { Heartbeats } from "./verifier";

const now = new Date("2026-12-01T12:00:00Z");
const hourAgo = new Date("2026-12-01T11:00:00Z");

test("a worker whose clock is right is alive for a minute after its heartbeat", () => {
  const heartbeats = new Heartbeats();
  const at = (secondsAgo: number) => ({ id: "worker_1", beat: 1, beatAt: new Date(now.getTime() - secondsAgo * 1000) });
  expect([59, 60].map((secondsAgo) => heartbeats.isAlive(at(secondsAgo), now, 0))).toEqual([true, false]);
});

test("a worker whose clock is slow is alive once its heartbeat changes, until it stops changing", () => {
  const heartbeats = new Heartbeats();
  const isAlive = (beat: number, nowMs: number) =>
    heartbeats.isAlive({ id: "worker_1", beat, beatAt: hourAgo }, now, nowMs);
  expect(isAlive(7, 0)).toBe(false);
  expect(isAlive(7, 5000)).toBe(false);
  expect(isAlive(8, 10_000)).toBe(true);
  expect(isAlive(8, 69_999)).toBe(true);
  expect(isAlive(8, 70_000)).toBe(false);
});
