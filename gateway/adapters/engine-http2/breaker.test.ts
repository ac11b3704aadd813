import { expect, test } from "bun:test";
import { Breaker } from "./breaker";

const failing = (times: number) => {
  let nowMs = 0;
  const breaker = new Breaker(() => nowMs);
  for (let i = 0; i < times; i++) breaker.failed();
  return { breaker, pass: (ms: number) => (nowMs += ms) };
};

test("four failures in a row leave a node in use, the fifth ejects it for 30 s", () => {
  expect(failing(4).breaker.allows()).toBe(true);
  const { breaker } = failing(5);
  expect([breaker.allows(), breaker.openForMs]).toEqual([false, 30_000]);
});

test("a success in between starts the count again", () => {
  const { breaker } = failing(4);
  breaker.succeeded();
  breaker.failed();
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
  const { breaker, pass } = failing(5);
  const times: number[] = [];
  for (let i = 0; i < 11; i++) {
    times.push(breaker.openForMs);
    pass(breaker.openForMs);
    breaker.started();
    breaker.failed();
  }
  expect(times.slice(0, 3)).toEqual([30_000, 60_000, 90_000]);
  expect(times.at(-1)).toBe(300_000);
});

test("a request that keeps failing counts once, even as the probe of an ejected node", () => {
  const { breaker, pass } = failing(4);
  breaker.failed("a");
  pass(30_000);
  breaker.started();
  breaker.failed("a");
  expect([breaker.openForMs, breaker.allows()]).toEqual([0, true]);
  breaker.succeeded();
  for (let i = 0; i < 10; i++) breaker.failed("b");
  expect(breaker.allows()).toBe(true);
  for (const body of ["c", "d", "e"]) breaker.failed(body);
  expect(breaker.allows()).toBe(true);
  breaker.failed("f");
  expect(breaker.allows()).toBe(false);
});

test("if the caller of a probing request disconnects, the next request probes the node", () => {
  const { breaker, pass } = failing(5);
  pass(30_000);
  breaker.started();
  breaker.ended();
  expect(breaker.allows()).toBe(true);
});
