import { expect, test } from "bun:test";
import { parseCacheControl, priorityOf, requestIdOf } from "./request-headers";

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

test("a request is interactive unless its priority is batch", () => {
  expect(priorityOf(new Headers())).toBe("interactive");
  expect(priorityOf(new Headers({ "x-priority": "interactive" }))).toBe("interactive");
  expect(priorityOf(new Headers({ "x-priority": "batch" }))).toBe("batch");
});

test.each(["high", "Batch", "", "batch, batch"])("the priority %j is rejected with the accepted values", (given) => {
  expect(() => priorityOf(new Headers({ "x-priority": given }))).toThrow("must be interactive or batch");
});

test("the caller's id is kept if it is valid", () => {
  expect(requestIdOf(new Headers({ "x-request-id": "Build-42_a" }))).toBe("Build-42_a");
});

test.each(["", "a b", "ä", "x".repeat(129), "a;b"])("the id %p is replaced", (given) => {
  expect(requestIdOf(new Headers(given === "ä" ? {} : { "x-request-id": given }))).toStartWith("req_");
});
