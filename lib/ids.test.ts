import { expect, test } from "bun:test";
import { newUlid } from "./ids";

test("new ids sort by time and don't repeat", () => {
  const ids = Array.from({ length: 2000 }, () => newUlid());
  expect(new Set(ids).size).toBe(2000);
  expect(newUlid(1_000) < newUlid(2_000)).toBe(true);
  expect(ids[0]).toMatch(/^[0-9a-hjkmnp-tv-z]{26}$/);
});
