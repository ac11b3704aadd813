import { expect, test } from "bun:test";
import { inOrder } from "./in-order";

test("results are in the order of the items, whichever finishes first", async () => {
  const work = async (ms: number) => {
    await Bun.sleep(ms);
    return ms;
  };
  expect(await inOrder([20, 1, 10], 2, work)).toEqual([20, 1, 10]);
});

test("after a failure no more work starts, and running work ends before the failure is thrown", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const work = async (n: number) => {
    begun.push(n);
    await Bun.sleep(n === 0 ? 1 : 10);
    if (n === 0) throw new Error("the first");
    ended.push(n);
  };
  await expect(inOrder([0, 1, 2, 3, 4], 2, work)).rejects.toThrow("the first");
  expect([begun, ended]).toEqual([[0, 1], [1]]);
  await Bun.sleep(30);
  expect(begun).toEqual([0, 1]);
});
