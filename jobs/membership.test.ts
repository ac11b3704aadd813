import { expect, test } from "bun:test";
import { beatMs } from "./membership";

test("a worker beats three times in its lease, and every ten seconds however long that is", () => {
  expect(beatMs(1500)).toBe(500);
  expect(beatMs(600_000)).toBe(10_000);
});
