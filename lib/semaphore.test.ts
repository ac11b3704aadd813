import { expect, test } from "bun:test";
import { Semaphore } from "./semaphore";

test("at most `size` tasks run at a time, in order of arrival", async () => {
  const semaphore = new Semaphore(2);
  const started: number[] = [];
  const gates = [0, 1, 2, 3].map(() => Promise.withResolvers<void>());
  const all = gates.map(({ promise }, n) =>
    semaphore.run(async () => {
      started.push(n);
      await promise;
      return n;
    }),
  );
  await Bun.sleep(0);
  expect(started).toEqual([0, 1]);
  gates[1]?.resolve();
  await all[1];
  await Bun.sleep(0);
  expect(started).toEqual([0, 1, 2]);
  for (const { resolve } of gates) resolve();
  expect(await Promise.all(all)).toEqual([0, 1, 2, 3]);
});

test("a failed task frees its slot", async () => {
  const semaphore = new Semaphore(1);
  const failed = await semaphore.run(() => Promise.reject(new Error("failed"))).catch(({ message }) => message);
  expect([failed, await semaphore.run(async () => "next")]).toEqual(["failed", "next"]);
});

test("an aborted task leaves the queue and takes no slot", async () => {
  const semaphore = new Semaphore(1);
  const held = Promise.withResolvers<void>();
  const first = semaphore.run(() => held.promise);
  const abort = new AbortController();
  const aborted = semaphore.run(async () => "ran", abort.signal).catch((reason) => reason);
  const last = semaphore.run(async () => "last");
  abort.abort("cancelled");
  expect(await aborted).toBe("cancelled");
  held.resolve();
  await first;
  expect(await last).toBe("last");
});
