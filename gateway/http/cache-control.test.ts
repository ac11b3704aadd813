import { expect, test } from "bun:test";
import { parseCacheControl } from "./cache-control";

const nothing = { noCache: false, noStore: false, onlyIfCached: false };

test("the directives of RFC 9111 are parsed in any case and order", () => {
  expect(parseCacheControl(undefined)).toEqual(nothing);
  expect(parseCacheControl("")).toEqual(nothing);
  expect(parseCacheControl("No-Cache")).toEqual({ ...nothing, noCache: true });
  expect(parseCacheControl("no-store , MAX-AGE=60")).toEqual({ ...nothing, noStore: true, maxAge: 60 });
  expect(parseCacheControl("only-if-cached,max-age=0")).toEqual({ ...nothing, onlyIfCached: true, maxAge: 0 });
  expect(parseCacheControl('s-maxage="300"')).toEqual({ ...nothing, keepSeconds: 300 });
});

test("unknown directives are ignored, even if they quote known ones", () => {
  expect(parseCacheControl('max-stale=5, community="no-store, max-age=1", no-transform, ;;')).toEqual(nothing);
  expect(parseCacheControl("x-no-cache, no-caches")).toEqual(nothing);
});

test("the stricter value of a repeated directive counts; a value that is not a number counts as 0", () => {
  expect(parseCacheControl("max-age=60, max-age=30").maxAge).toBe(30);
  expect(parseCacheControl("max-age=abc").maxAge).toBe(0);
  expect(parseCacheControl("max-age=-1").maxAge).toBe(0);
  expect(parseCacheControl("max-age").maxAge).toBe(0);
  expect(parseCacheControl("max-age=99999999999999999999").maxAge).toBe(2_147_483_648);
});
