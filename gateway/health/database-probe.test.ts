import { expect, test } from "bun:test";
import { databaseProbe } from "./database-probe";

const probeOf = (write: () => Promise<unknown>) => {
  const clock = { ms: 0 };
  return { clock, ask: databaseProbe({ pingDatabase: async () => {}, writeDatabase: write }, () => clock.ms, 20) };
};

test("the probe detects within five seconds that writes fail, and that they work again", async () => {
  let isWritable = true;
  const { clock, ask } = probeOf(() => (isWritable ? Promise.resolve() : Promise.reject(new Error("read-only"))));
  expect(await ask()).toBeUndefined();
  isWritable = false;
  clock.ms += 3000;
  expect(await ask()).toBe("Readable but not writable");
  isWritable = true;
  clock.ms += 1000;
  expect(await ask()).toBe("Readable but not writable");
  clock.ms += 2000;
  expect(await ask()).toBeUndefined();
});

test("a write that waits for other processes counts as failed after four seconds", async () => {
  const written = Promise.withResolvers<void>();
  const { clock, ask } = probeOf(() => written.promise);
  expect(await ask()).toBeUndefined();
  clock.ms += 4001;
  expect(await ask()).toBe("A write is hanging");
  written.resolve();
  expect(await ask()).toBeUndefined();
});
