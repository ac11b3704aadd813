import { expect, test } from "bun:test";
import { RetryBudget } from "./retry-budget";

const setUp = () => {
  const clock = { ms: 0 };
  return { clock, budget: new RetryBudget(() => clock.ms) };
};

test("three retries are always allowed, and three more after the window has passed", () => {
  const { clock, budget } = setUp();
  const take = () => Array.from({ length: 5 }, () => budget.take(0)).filter(Boolean).length;
  budget.requested();
  expect(take()).toBe(3);
  clock.ms += 9000;
  expect(take()).toBe(0);
  clock.ms += 6000;
  expect(take()).toBe(3);
});

test("G3 a minute of failing requests at 200 per second is sent at most 1.2 times", () => {
  const { clock, budget } = setUp();
  let attempts = 0;
  const requests = 60 * 200;
  for (let i = 0; i < requests; i++) {
    budget.requested();
    attempts += budget.take(1) ? 2 : 1;
    clock.ms += 5;
  }
  expect(attempts / requests).toBeLessThanOrEqual(1.2);
  expect(attempts / requests).toBeGreaterThan(1.19);
});

test("requests that have been active for longer than the window count too", () => {
  const { clock, budget } = setUp();
  clock.ms = 60_000;
  expect(Array.from({ length: 100 }, () => budget.take(100)).filter(Boolean)).toHaveLength(20);
});
