import { expect, test } from "bun:test";
import { cacheStatusHeader } from "./headers";

test("cache-status reports what happened and why", () => {
  expect(cacheStatusHeader({ status: "hit", kind: "memory", ttl: 86_391, age: 9, key: "v2-ab" })).toBe(
    'Groundwire; hit; ttl=86391; key="v2-ab"; detail="exact match in memory"',
  );
  expect(cacheStatusHeader({ status: "miss", key: "v2-ab", stored: true })).toBe(
    'Groundwire; fwd=miss; stored; key="v2-ab"',
  );
  expect(cacheStatusHeader({ status: "miss", reason: "older than max-age", key: "v2-ab" })).toBe(
    'Groundwire; fwd=request; key="v2-ab"; detail="older than max-age"',
  );
  expect(cacheStatusHeader({ status: "joined", kind: "in_flight", key: "v2-ab" })).toBe(
    'Groundwire; fwd=miss; collapsed; key="v2-ab"; detail="joined in flight"',
  );
  expect(cacheStatusHeader({ status: "bypass", reason: "sampled" })).toBe('Groundwire; fwd=bypass; detail="sampled"');
  expect(cacheStatusHeader({ status: "bypass", reason: "no-cache", key: "v2-ab", stored: true })).toBe(
    'Groundwire; fwd=request; stored; key="v2-ab"; detail="no-cache"',
  );
});

test("a detail can't break out of the header", () => {
  expect(cacheStatusHeader({ status: "bypass", reason: 'a"b\\c\r\nx: y é' })).toBe(
    'Groundwire; fwd=bypass; detail="a\\"b\\\\c??x: y ?"',
  );
});
