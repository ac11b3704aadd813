import { beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../lib/errors";
import type { Principal } from "../principal";
import { createLedger, type Ledger, type Reservation } from "./ledger";

const MINUTE_MS = 60_000;
let nowMs: number;
let ledger: Ledger;
beforeEach(() => {
  nowMs = 5_000_000;
  ledger = createLedger({ now: () => nowMs });
});

const principal = (requestsPerMinute: number, parallelRequests: number, keyId = "key_a"): Principal => ({
  keyId,
  keyName: "ci-bot",
  role: "member",
  limits: { requestsPerMinute, parallelRequests },
  contentLogging: true,
  via: "key",
});

const tryReserve = (who: Principal): Reservation | AppError => {
  try {
    return ledger.reserve(who);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
};
const refusal = (who: Principal): AppError => {
  const outcome = tryReserve(who);
  if (outcome instanceof AppError) return outcome;
  throw new Error("It was admitted.");
};

/** Parses a structured field list of strings with parameters (RFC 9651). Throws if it is invalid. */
const parseList = (field: string): { name: string; parameters: Record<string, string> }[] =>
  field.split(/, ?/).map((item) => {
    const parsed = /^"([a-z-]+)"((?:;[a-z]+=(?:\d+|"[a-z-]+"|:[A-Za-z0-9+/=]+:))*)$/.exec(item);
    if (!parsed) throw new Error(`${item} is not a structured field item.`);
    const parameters = (parsed[2] ?? "")
      .split(";")
      .slice(1)
      .map((parameter): [string, string] => {
        const cut = parameter.indexOf("=");
        return [parameter.slice(0, cut), parameter.slice(cut + 1)];
      });
    return { name: parsed[1] ?? "", parameters: Object.fromEntries(parameters) };
  });

test("parallel callers never exceed a limit", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: 1, max: 8 }),
      fc.array(fc.record({ wait: fc.integer({ min: 0, max: 3 }), hold: fc.integer({ min: 0, max: 5 }) }), {
        minLength: 1,
        maxLength: 80,
        size: "max",
      }),
      async (perMinute, parallel, callers) => {
        const who = principal(perMinute, parallel);
        ledger = createLedger({ now: () => nowMs });
        let running = 0;
        let most = 0;
        let admitted = 0;
        await Promise.all(
          callers.map(async ({ wait, hold }) => {
            for (let turn = 0; turn < wait; turn++) await Promise.resolve();
            const outcome = tryReserve(who);
            if (outcome instanceof AppError) return;
            admitted++;
            running++;
            most = Math.max(most, running);
            for (let turn = 0; turn < hold; turn++) await Promise.resolve();
            running--;
            outcome.release();
            outcome.release();
          }),
        );
        expect(admitted).toBeLessThanOrEqual(perMinute);
        expect(most).toBeLessThanOrEqual(parallel);
        expect(ledger.explain(who).map(({ used }) => used)).toEqual([admitted, 0]);
      },
    ),
  );
});

test("L1: 32 clients of one key get exactly as many requests in 3 minutes as the limit allows", () => {
  const limit = 600;
  const who = principal(limit, 64);
  const admittedAtMs: number[] = [];
  const startMs = nowMs;
  for (; nowMs < startMs + 3 * MINUTE_MS; nowMs += 50) {
    for (let client = 0; client < 32; client++) {
      const outcome = tryReserve(who);
      if (outcome instanceof AppError) continue;
      outcome.release();
      admittedAtMs.push(nowMs);
    }
  }
  expect(admittedAtMs.length).toBeLessThanOrEqual(3 * limit);
  expect(admittedAtMs.length).toBeGreaterThanOrEqual(3 * limit * 0.99);
});

test("L2: both header families agree and can be parsed", () => {
  const who = principal(60, 4);
  ledger.reserve(who).release();
  nowMs += 30_000;
  const { headers } = ledger.reserve(who);
  expect(parseList(headers["ratelimit-policy"] ?? "")).toEqual([
    { name: "requests", parameters: { q: "60", w: "60", pk: ":a2V5X2E=:" } },
    { name: "parallel", parameters: { q: "4", qu: '"concurrent-requests"', pk: ":a2V5X2E=:" } },
  ]);
  expect(parseList(headers.ratelimit ?? "")).toEqual([
    { name: "requests", parameters: { r: "58", t: "31" } },
    { name: "parallel", parameters: { r: "3" } },
  ]);
  expect(headers).toMatchObject({
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-requests": "58",
    "x-ratelimit-reset-requests": "1m0.1s",
  });
});

test("L2: a rejection names the limit, its key and when to retry, and the request is accepted then", () => {
  const who = principal(3, 10);
  for (let n = 0; n < 3; n++) {
    ledger.reserve(who).release();
    nowMs += 1000;
  }
  const error = refusal(who);
  expect([error.kind, error.message]).toEqual([
    "rate_limited",
    'The key "ci-bot" has reached its limit of 3 requests per minute. Try again in 58 s.',
  ]);
  const retryAfterMs = error.detail.retryAfterMs ?? 0;
  const headers = error.detail.headers ?? {};
  const [limit] = parseList(headers.ratelimit ?? "");
  expect(limit).toEqual({ name: "requests", parameters: { r: "0", t: "58" } });
  expect(Math.ceil(retryAfterMs / 1000)).toBeGreaterThanOrEqual(Number(limit?.parameters.t));
  expect(headers["x-ratelimit-remaining-requests"]).toBe("0");
  nowMs += retryAfterMs - 1;
  refusal(who);
  nowMs += 1;
  ledger.reserve(who);
});

test("requests over the parallel limit are rejected until one ends", () => {
  const who = principal(100, 2);
  const first = ledger.reserve(who);
  ledger.reserve(who);
  const error = refusal(who);
  expect(error.message).toBe(
    'The key "ci-bot" has reached its limit of 2 parallel requests. Try again when one of them has finished.',
  );
  expect([error.detail.retryAfterMs, error.detail.headers?.ratelimit]).toEqual([1000, '"parallel";r=0']);
  first.release();
  ledger.reserve(who);
});

test("a rejected request doesn't count", () => {
  const who = principal(100, 1);
  ledger.reserve(who);
  for (let n = 0; n < 50; n++) refusal(who);
  expect(ledger.explain(who).map(({ used }) => used)).toEqual([1, 1]);
});

test("keys don't share a limit", () => {
  ledger.reserve(principal(1, 1, "key_a"));
  ledger.reserve(principal(1, 1, "key_b"));
  refusal(principal(1, 1, "key_a"));
});

test("a changed limit applies from the next request on", () => {
  ledger.reserve(principal(1, 1));
  refusal(principal(1, 2));
  ledger.reserve(principal(2, 2));
  expect(refusal(principal(1, 5)).detail.retryAfterMs).toBe(MINUTE_MS + 100);
});

test("explain doesn't count, and says whether a request would be accepted", () => {
  const who = principal(2, 5);
  for (let n = 0; n < 10; n++) ledger.explain(who);
  ledger.reserve(who);
  ledger.reserve(who);
  nowMs += 20_000;
  expect(ledger.explain(who)).toEqual([
    {
      name: "requests_per_minute",
      limit: 2,
      used: 2,
      remaining: 0,
      window: "rolling",
      windowSeconds: 60,
      wouldRefuse: true,
      freesInMs: 40_100,
    },
    {
      name: "parallel_requests",
      limit: 5,
      used: 2,
      remaining: 3,
      window: "none",
      windowSeconds: null,
      wouldRefuse: false,
      freesInMs: null,
    },
  ]);
});

test("idle keys are removed", () => {
  for (let n = 0; n < 1000; n++) ledger.reserve(principal(10, 10, `key_${n}`)).release();
  const running = ledger.reserve(principal(10, 10, "key_running"));
  expect(ledger.activeKeys).toBe(1001);
  nowMs += 2 * MINUTE_MS;
  ledger.reserve(principal(10, 10, "key_new"));
  expect(ledger.activeKeys).toBe(2);
  running.release();
});
