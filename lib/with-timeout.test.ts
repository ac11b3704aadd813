import { expect, test } from "bun:test";
import { succeedsWithin, withTimeout } from "./with-timeout";

const forever = new Promise<never>(() => {});

test("work returns its value or rejects; after the timeout, the result is undefined", async () => {
  expect(await withTimeout(Promise.resolve(1), 60_000)).toBe(1);
  await expect(withTimeout(Promise.reject(new Error("broken")), 60_000)).rejects.toThrow("broken");
  expect(await withTimeout(forever, 1)).toBeUndefined();
});

test("succeedsWithin is false for work that fails or times out", async () => {
  expect(await succeedsWithin(Promise.resolve(), 60_000)).toBe(true);
  expect(await succeedsWithin(Promise.reject(new Error("broken")), 60_000)).toBe(false);
  expect(await succeedsWithin(forever, 1)).toBe(false);
});
