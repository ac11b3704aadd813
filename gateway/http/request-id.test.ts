import { expect, test } from "bun:test";
import { requestIdOf, traceparentOf } from "./request-id";

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
