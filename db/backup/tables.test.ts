import { expect, test } from "bun:test";
import { nextLimit } from "./tables";

test("a page holds about 4 MiB and at most 500 rows, whatever the row size", () => {
  const piece = [1n, "upload_1", new ArrayBuffer(262_144)];
  expect(nextLimit(Array.from({ length: 8 }, () => piece))).toBe(15);
  expect(nextLimit([[1n, "x".repeat(10_000_000)]])).toBe(1);
  expect(nextLimit([[1n, "short"]])).toBe(500);
});
