import { expect, test } from "bun:test";
import { beatMs } from "./worker-lease";

test("a worker sends three heartbeats per lease, and at least one every ten seconds", () => {
  expect(beatMs(1500)).toBe(500);
  expect(beatMs(600_000)).toBe(10_000);
});
