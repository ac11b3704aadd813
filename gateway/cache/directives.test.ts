import { expect, test } from "bun:test";
import { cacheStatusHeader, parseCacheControl } from "./directives";

const nothing = { noCache: false, noStore: false, onlyIfCached: false };

test("the words of RFC 9111 are understood, whatever their case and order", () => {
  expect(parseCacheControl(undefined)).toEqual(nothing);
  expect(parseCacheControl("")).toEqual(nothing);
  expect(parseCacheControl("No-Cache")).toEqual({ ...nothing, noCache: true });
  expect(parseCacheControl("no-store , MAX-AGE=60")).toEqual({ ...nothing, noStore: true, maxAge: 60 });
  expect(parseCacheControl("only-if-cached,max-age=0")).toEqual({ ...nothing, onlyIfCached: true, maxAge: 0 });
  expect(parseCacheControl('s-maxage="300"')).toEqual({ ...nothing, keepSeconds: 300 });
});

test("words that mean nothing here are ignored, also when they hold known ones in quotes", () => {
  expect(parseCacheControl('max-stale=5, community="no-store, max-age=1", no-transform, ;;')).toEqual(nothing);
  expect(parseCacheControl("x-no-cache, no-caches")).toEqual(nothing);
});

test("of a repeated directive the stricter value counts; what is no number counts as 0", () => {
  expect(parseCacheControl("max-age=60, max-age=30").maxAge).toBe(30);
  expect(parseCacheControl("max-age=abc").maxAge).toBe(0);
  expect(parseCacheControl("max-age=-1").maxAge).toBe(0);
  expect(parseCacheControl("max-age").maxAge).toBe(0);
  expect(parseCacheControl("max-age=99999999999999999999").maxAge).toBe(2_147_483_648);
});

test("cache-status says what happened and why", () => {
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
