import { expect, test } from "bun:test";
import { newRequestId, requestIdOf, traceparentOf } from "./request-id";

test("new ids sort by time and don't repeat", () => {
  const ids = Array.from({ length: 2000 }, () => newRequestId());
  expect(new Set(ids).size).toBe(2000);
  expect(newRequestId(1_000) < newRequestId(2_000)).toBe(true);
  expect(ids[0]).toMatch(/^req_[0-9a-hjkmnp-tv-z]{26}$/);
});

test("the caller's id is kept when it is valid", () => {
  expect(requestIdOf(new Headers({ "x-request-id": "Build-42_a" }))).toBe("Build-42_a");
});

test.each(["", "a b", "ä", "x".repeat(129), "a;b"])("the id %p is replaced", (given) => {
  expect(requestIdOf(new Headers(given === "ä" ? {} : { "x-request-id": given }))).toStartWith("req_");
});

test("a malformed trace context is not passed on", () => {
  const valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  expect(traceparentOf(new Headers({ traceparent: valid }))).toBe(valid);
  expect(traceparentOf(new Headers({ traceparent: "00-xyz" }))).toBeUndefined();
});
