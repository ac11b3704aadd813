import { expect, test } from "bun:test";
import { Breaker } from "./breaker";

/** A breaker after failures of different requests. Every check finds that the node is broken. */
const failing = (times: number) => {
  let nowMs = 0;
  const breaker = new Breaker(() => nowMs);
  const fail = (body?: string) => {
    if (breaker.failed(body)) breaker.checked(false);
  };
  for (let i = 0; i < times; i++) fail();
  return { breaker, fail, pass: (ms: number) => (nowMs += ms) };
};

test("four failures in a row leave a node in use, the fifth ejects it for 30 s", () => {
  expect(failing(4).breaker.allows()).toBe(true);
  const { breaker } = failing(5);
  expect([breaker.allows(), breaker.openForMs]).toEqual([false, 30_000]);
});

test("a success in between starts the count again", () => {
  const { breaker } = failing(4);
  breaker.succeeded();
  expect(breaker.failed()).toBe(false);
  expect(breaker.allows()).toBe(true);
});

test("after the ejection one request probes the node, and others follow only if it succeeds", () => {
  const { breaker, pass } = failing(5);
  pass(30_000);
  expect(breaker.allows()).toBe(true);
  breaker.started();
  expect(breaker.allows()).toBe(false);
  breaker.succeeded();
  expect([breaker.allows(), breaker.isEjected]).toEqual([true, false]);
});

test("each failed probe extends the ejection by 30 s, up to 300 s", () => {
  const { breaker, fail, pass } = failing(5);
  const times: number[] = [];
  for (let i = 0; i < 11; i++) {
    times.push(breaker.openForMs);
    pass(breaker.openForMs);
    breaker.started();
    fail();
  }
  expect(times.slice(0, 3)).toEqual([30_000, 60_000, 90_000]);
  expect(times.at(-1)).toBe(300_000);
});

test("a request that keeps failing counts once, even as the probe of an ejected node", () => {
  const { breaker, fail, pass } = failing(4);
  fail("a");
  pass(30_000);
  breaker.started();
  fail("a");
  expect([breaker.openForMs, breaker.allows()]).toEqual([0, true]);
  breaker.succeeded();
  for (let i = 0; i < 10; i++) fail("b");
  for (const body of ["c", "d", "e"]) fail(body);
  expect(breaker.allows()).toBe(true);
  fail("f");
  expect(breaker.allows()).toBe(false);
});

test("if the caller of a probing request disconnects, the next request probes the node", () => {
  const { breaker, pass } = failing(5);
  pass(30_000);
  breaker.started();
  breaker.ended();
  expect(breaker.allows()).toBe(true);
});

test("a node that passes its check stays in use, and further failures are ignored for 10 s", () => {
  const { breaker, pass } = failing(4);
  expect([breaker.failed(), breaker.isSuspect, breaker.allows()]).toEqual([true, true, true]);
  expect(breaker.failed()).toBe(false);
  breaker.checked(true);
  for (let i = 0; i < 50; i++) expect(breaker.failed()).toBe(false);
  pass(10_000);
  for (let i = 0; i < 4; i++) expect(breaker.failed()).toBe(false);
  expect(breaker.failed()).toBe(true);
});

test("a failed check doesn't count if a request succeeded during it", () => {
  const { breaker } = failing(4);
  expect(breaker.failed()).toBe(true);
  breaker.succeeded();
  breaker.checked(false);
  expect([breaker.isEjected, breaker.allows()]).toEqual([false, true]);
});

test("an ejected node whose probe failed is in use again if it passes the check", () => {
  const { breaker, pass } = failing(5);
  pass(30_000);
  breaker.started();
  expect(breaker.failed()).toBe(true);
  breaker.ended();
  expect(breaker.allows()).toBe(false);
  breaker.checked(true);
  expect([breaker.isEjected, breaker.allows()]).toEqual([false, true]);
});
