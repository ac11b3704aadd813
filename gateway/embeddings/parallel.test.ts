import { expect, test } from "bun:test";
import { inParallel } from "./parallel";

const never = new AbortController().signal;

test("every item is processed once, and the limit on parallel items is kept", async () => {
  let running = 0;
  let most = 0;
  const done: number[] = [];
  await inParallel([...Array(50).keys()], 4, never, async (item) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setImmediate(resolve));
    running--;
    done.push(item);
  });
  expect(done.toSorted((a, b) => a - b)).toEqual([...Array(50).keys()]);
  expect(most).toBe(4);
});

test("the first failure is thrown, aborts running work and starts no more", async () => {
  const begun: number[] = [];
  const work = inParallel([0, 1, 2, 3, 4], 3, never, async (item, signal) => {
    begun.push(item);
    if (item === 1) throw new Error("first");
    await new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(new Error("later"))));
  });
  await expect(work).rejects.toThrow("first");
  expect(begun).toEqual([0, 1, 2]);
});

test("running work is aborted when the caller disconnects", async () => {
  const caller = new AbortController();
  const work = inParallel([0], 1, caller.signal, async (_, signal) => {
    caller.abort();
    signal.throwIfAborted();
  });
  await expect(work).rejects.toThrow();
});
