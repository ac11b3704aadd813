import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { AppError } from "../../lib/errors";
import { defaultConfig } from "../../lib/settings";
import type { Priority } from "../protocol";
import { AdmissionQueue, type Waiter } from "./queue";

interface Work extends Waiter {
  name: string;
  outcome: "waiting" | "running" | string;
  calls: number;
}

const work = (name: string, options: Partial<Waiter> = {}): Work => ({
  name,
  priority: "interactive",
  fairKey: "key",
  deadlineAt: Number.POSITIVE_INFINITY,
  queueUntil: Number.POSITIVE_INFINITY,
  outcome: "waiting",
  calls: 0,
  start() {
    this.outcome = "running";
    this.calls++;
  },
  reject(error: AppError) {
    this.outcome = error.kind;
    this.calls++;
  },
  ...options,
});

const rejection = (act: () => void): AppError => {
  try {
    act();
  } catch (thrown) {
    return thrown as AppError;
  }
  throw new Error("nothing was rejected");
};

/** Frees the slot repeatedly and returns the order in which the work ran. */
const order = (queue: AdmissionQueue, all: Work[]): string[] => {
  const names: string[] = [];
  for (let now = 1; queue.running > 0; now++) {
    const current = all.find((item) => item.outcome === "running");
    if (!current) break;
    names.push(current.name);
    current.outcome = "done";
    queue.leave(current, now);
  }
  return names;
};

describe("AdmissionQueue", () => {
  test("runs work while slots are free, then queues it, then rejects it with the time to retry", () => {
    const queue = new AdmissionQueue(1, 1);
    const [first, second, third] = [work("a"), work("b"), work("c")];
    queue.enter(first, 0);
    queue.enter(second, 0);
    expect([first.outcome, second.outcome, queue.running, queue.depth]).toEqual(["running", "waiting", 1, 1]);
    const error = rejection(() => queue.enter(third, 0));
    expect([error.kind, error.detail.retryAfterMs]).toEqual(["overloaded", 2000]);
  });

  test("the time to retry follows the measured service time", () => {
    const queue = new AdmissionQueue(2, 10);
    const first = work("a");
    queue.enter(first, 0);
    queue.leave(first, 400);
    expect(queue.retryAfterMs()).toBe(200);
  });

  test("interactive work goes before batch work, and keys take turns", () => {
    const queue = new AdmissionQueue(1, 10);
    const all = [
      work("first"),
      work("batch", { priority: "batch" }),
      work("a1", { fairKey: "a" }),
      work("a2", { fairKey: "a" }),
      work("a3", { fairKey: "a" }),
      work("b1", { fairKey: "b" }),
      work("c1", { fairKey: "c" }),
    ];
    for (const item of all) queue.enter(item, 0);
    expect(order(queue, all)).toEqual(["first", "a1", "b1", "c1", "a2", "a3", "batch"]);
  });

  test("batch work leaves the reserved slot to interactive work, which also goes first", () => {
    const queue = new AdmissionQueue(2, 10, 1);
    const [b1, b2, a1, a2] = [
      work("b1", { priority: "batch" }),
      work("b2", { priority: "batch" }),
      work("a1"),
      work("a2"),
    ];
    for (const item of [b1, b2, a1, a2]) queue.enter(item, 0);
    expect([b1, b2, a1, a2].map(({ outcome }) => outcome)).toEqual(["running", "waiting", "running", "waiting"]);
    queue.leave(b1, 1);
    expect([a2.outcome, b2.outcome]).toEqual(["running", "waiting"]);
    queue.leave(a1, 2);
    expect(b2.outcome).toBe("waiting");
    queue.leave(a2, 3);
    expect(b2.outcome).toBe("running");
  });

  test("expired work is dropped before it runs, and its error names the timeout", () => {
    const queue = new AdmissionQueue(1, 10);
    const [first, dead, tired, alive] = [
      work("first"),
      work("dead", { deadlineAt: 5 }),
      work("tired", { queueUntil: 5 }),
      work("alive"),
    ];
    for (const item of [first, dead, tired, alive]) queue.enter(item, 0);
    queue.leave(first, 5);
    expect([dead.outcome, tired.outcome, alive.outcome]).toEqual(["deadline_exceeded", "overloaded", "running"]);
    expect(rejection(() => queue.enter(work("late", { deadlineAt: 4 }), 5)).kind).toBe("deadline_exceeded");
  });

  test("queued work expires, but running work does not", () => {
    const queue = new AdmissionQueue(1, 10);
    const [first, second] = [work("a", { deadlineAt: 5 }), work("b", { queueUntil: 5 })];
    queue.enter(first, 0);
    queue.enter(second, 0);
    queue.expire(first, 5);
    queue.expire(second, 5);
    expect([first.outcome, second.outcome, queue.depth]).toEqual(["running", "overloaded", 0]);
  });

  test("work that leaves the queue frees its place immediately", () => {
    const queue = new AdmissionQueue(1, 1);
    const [first, second, third] = [work("a"), work("b"), work("c")];
    queue.enter(first, 0);
    queue.enter(second, 0);
    queue.leave(second, 1);
    queue.enter(third, 1);
    queue.leave(first, 2);
    expect([second.outcome, second.calls, third.outcome]).toEqual(["waiting", 0, "running"]);
  });

  test("in a full queue, interactive work displaces batch work, and a new key displaces the busiest one", () => {
    const queue = new AdmissionQueue(1, 2);
    const [batch, a1, a2, b1] = [
      work("batch", { priority: "batch" }),
      work("a1", { fairKey: "a" }),
      work("a2", { fairKey: "a" }),
      work("b1", { fairKey: "b" }),
    ];
    for (const item of [work("first"), batch, a1, a2]) queue.enter(item, 0);
    expect(batch.outcome).toBe("overloaded");
    queue.enter(b1, 0);
    expect([a1.outcome, a2.outcome, b1.outcome]).toEqual(["waiting", "overloaded", "waiting"]);
    expect(rejection(() => queue.enter(work("b2", { fairKey: "b" }), 0)).kind).toBe("overloaded");
  });

  test("64 calls of one key fill the default slots and queue, but don't shut out another key", () => {
    const { slots, queue: capacity } = defaultConfig().node;
    const queue = new AdmissionQueue(slots, capacity);
    const crowd = Array.from({ length: 64 }, (_, index) => work(`a${index}`, { fairKey: "a" }));
    for (const each of crowd) queue.enter(each, 0);
    expect([queue.running, queue.depth]).toEqual([slots, 64 - slots]);
    const other = work("b", { fairKey: "b" });
    queue.enter(other, 0);
    expect([other.outcome, crowd.at(-1)?.outcome]).toEqual(["waiting", "overloaded"]);
    const first = crowd[0];
    const second = crowd[1];
    if (first) queue.leave(first, 1);
    if (second) queue.leave(second, 1);
    expect(other.outcome).toBe("running");
  });

  test("in any sequence of events, running work never exceeds the slots, every accepted request ends once and no key starves", () => {
    const keys = ["a", "b", "c", "d"];
    const step = fc.record({
      action: fc.constantFrom("enter", "enter", "finish", "abandon"),
      key: fc.constantFrom(...keys),
      priority: fc.constantFrom<Priority>("interactive", "batch"),
      pick: fc.nat(1000),
      waitMs: fc.integer({ min: 1, max: 60 }),
      elapsedMs: fc.integer({ min: 0, max: 10 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 8 }),
        fc.array(step, { maxLength: 200 }),
        (slots, capacity, steps) => {
          const queue = new AdmissionQueue(slots, capacity);
          const accepted: Work[] = [];
          /** Starts of other keys of the same priority since the work at the head of a line began to wait. */
          const passedOver = new Map<Work, number>();
          let now = 0;
          const waiting = () => accepted.filter((item) => item.outcome === "waiting");
          const running = () => accepted.filter((item) => item.outcome === "running");
          const onStart = (started: Work) => {
            for (const item of waiting()) {
              if (item.priority !== started.priority || item.fairKey === started.fairKey) continue;
              const head = waiting().find((w) => w.fairKey === item.fairKey && w.priority === item.priority);
              if (head !== item) continue;
              const times = (passedOver.get(item) ?? 0) + 1;
              passedOver.set(item, times);
              expect(times).toBeLessThan(keys.length);
            }
            if (started.priority === "batch") {
              expect(waiting().some((item) => item.priority === "interactive" && item.queueUntil > now)).toBe(false);
            }
          };
          for (const [index, { action, key, priority, pick, waitMs, elapsedMs }] of steps.entries()) {
            now += elapsedMs;
            if (action === "enter") {
              const item = work(`${index}`, { fairKey: key, priority, queueUntil: now + waitMs });
              const { start } = item;
              item.start = () => {
                start.call(item);
                onStart(item);
              };
              try {
                queue.enter(item, now);
                accepted.push(item);
              } catch {
                expect(queue.depth).toBe(capacity);
              }
            } else {
              const pool = action === "finish" ? running() : waiting();
              const item = pool[pick % Math.max(1, pool.length)];
              if (item) {
                item.outcome = action;
                queue.leave(item, now);
              }
            }
            expect(queue.running).toBe(running().length);
            expect(queue.depth).toBe(waiting().length);
            expect(queue.running).toBeLessThanOrEqual(slots);
            expect(queue.depth).toBeLessThanOrEqual(capacity);
            if (queue.depth > 0) expect(queue.running).toBe(slots);
          }
          for (let item = running()[0]; item; item = running()[0]) {
            item.outcome = "finish";
            queue.leave(item, ++now);
          }
          expect([queue.running, queue.depth]).toEqual([0, 0]);
          for (const item of accepted) expect([item.calls <= 1, item.outcome === "waiting"]).toEqual([true, false]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
