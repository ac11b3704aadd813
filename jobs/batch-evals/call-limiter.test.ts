import { describe, expect, test } from "bun:test";
import { CallLimiter, type Waited } from "./call-limiter";

const open = new AbortController().signal;

/** Makes `count` calls one after the other, each with this outcome. */
const call = async (limiter: CallLimiter, count: number, outcome: Waited | "refused" | "failed"): Promise<void> => {
  for (let n = 0; n < count; n++) (await limiter.enter(open))(outcome);
};

describe("the limit of parallel calls", () => {
  test("doubles with each round until the first refusal, up to the maximum", async () => {
    const limiter = new CallLimiter(20);
    expect(limiter.limit).toBe(4);
    await call(limiter, 4, null);
    expect(limiter.limit).toBe(8);
    await call(limiter, 50, null);
    expect(limiter.limit).toBe(20);
  });

  test("is halved by a refusal, and then grows by one call per round", async () => {
    const limiter = new CallLimiter(64);
    await call(limiter, 12, null);
    await call(limiter, 1, "refused");
    expect(limiter.limit).toBe(8);
    await call(limiter, 9, null);
    expect(limiter.limit).toBe(9);
  });

  test("is halved once by calls that were refused together, and never below one", async () => {
    const limiter = new CallLimiter(64);
    const leave = await Promise.all(Array.from({ length: 4 }, () => limiter.enter(open)));
    for (const end of leave) end("refused");
    expect(limiter.limit).toBe(2);
    await call(limiter, 5, "refused");
    expect(limiter.limit).toBe(1);
  });

  test("stays while calls queue, and is lowered when they queue longer than they run", async () => {
    const limiter = new CallLimiter(64);
    await call(limiter, 4, { queueMs: 400, totalMs: 1000 });
    expect(limiter.limit).toBe(4);
    await call(limiter, 1, { queueMs: 700, totalMs: 1000 });
    expect(limiter.limit).toBe(3);
    await call(limiter, 1, "failed");
    expect(limiter.limit).toBe(3);
  });
});

test("a call waits for a free place, and leaves the queue when it is aborted", async () => {
  const limiter = new CallLimiter(1);
  const first = await limiter.enter(open);
  const stop = new AbortController();
  const reason = limiter.enter(stop.signal).catch((error) => error);
  const second = limiter.enter(open);
  stop.abort("enough");
  expect(await reason).toBe("enough");
  first(null);
  (await second)(null);
  (await limiter.enter(open))(null);
});
