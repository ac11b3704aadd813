import { expect, test } from "bun:test";
import { withPauses } from "./with-pauses";

test("every value arrives in order, with undefined for each wait", async () => {
  const gate = Promise.withResolvers<void>();
  const source = async function* () {
    yield 1;
    yield 2;
    await gate.promise;
    yield 3;
  };
  const seen: (number | undefined)[] = [];
  for await (const value of withPauses(source(), 5)) {
    seen.push(value);
    if (value === undefined) gate.resolve();
  }
  expect(seen.filter((value) => value !== undefined)).toEqual([1, 2, 3]);
  expect(seen[2]).toBeUndefined();
});

test("an error of the source is thrown, even if it occurs while the consumer is busy", async () => {
  const source = async function* () {
    yield 1;
    throw new Error("The source failed.");
  };
  const read = async () => {
    for await (const _ of withPauses(source(), 5)) await Promise.resolve();
  };
  await expect(read()).rejects.toThrow("The source failed.");
});

test("leaving the loop ends the source", async () => {
  let isEnded = false;
  const source = async function* () {
    try {
      for (let n = 0; ; n++) yield n;
    } finally {
      isEnded = true;
    }
  };
  for await (const value of withPauses(source(), 5)) if (value === 2) break;
  expect(isEnded).toBe(true);
});
