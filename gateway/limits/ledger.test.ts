import { beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { AppError } from "../../lib/errors";
import { problemOf } from "../../tests/db/temporary";
import { memoryLedger } from "../adapters/ledger-memory";
import { type Asking, NO_DIRECTIVES } from "../call";
import type { Principal } from "../principal";
import { createLedger, type HeldRequest, type Ledger } from "./ledger";
import { toExplanation } from "./wire";

const MINUTE_MS = 60_000;
let nowMs: number;
let ledger: Ledger;
const now = () => nowMs;
/** `tookMs`: how long after its store the ledger reads the clock. */
const newLedger = (tookMs = 0) =>
  createLedger({
    store: memoryLedger({ now, monotonic: now }),
    price: { gpuPricePerHour: 3.6, currency: "USD" },
    slots: () => ({ answers: 8, embeddings: 2 }),
    now: () => nowMs + tookMs,
  });
beforeEach(() => {
  nowMs = 5_000_000;
  ledger = newLedger();
});

const principal = (
  requestsPerMinute: number,
  parallelRequests: number,
  keyId = "key_a",
  limits: Partial<Principal["limits"]> = {},
): Principal => ({
  keyId,
  keyName: "ci-bot",
  role: "member",
  limits: { requestsPerMinute, parallelRequests, ...limits },
  contentLogging: true,
  via: "key",
});

const reserve = (who: Principal): HeldRequest => {
  const held = ledger.reserve(who, "/v1/chat");
  if (held instanceof Promise) throw new Error("A ledger in this process answers without a promise.");
  return held;
};
const headersOf = (held: HeldRequest): Record<string, string> => {
  const headers: Record<string, string> = {};
  held.addHeaders(headers);
  return headers;
};
const tryReserve = (who: Principal): HeldRequest | AppError => {
  try {
    return reserve(who);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
};
const usedOf = async (who: Principal) => (await ledger.explain(who)).limits.map(({ reading }) => reading.used);
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
        ledger = newLedger();
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
        expect(await usedOf(who)).toEqual([admitted, 0]);
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
  reserve(who).release();
  nowMs += 30_000;
  const headers = headersOf(reserve(who));
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

test("L2: the headers of every kind of limit can be parsed, and a rejection never says to retry earlier than they do", async () => {
  const budgets = (["requests", "tokens", "money", "gpu_seconds"] as const).flatMap((unit) =>
    (["hour", "day", "month", "total"] as const).flatMap((window) =>
      (["calendar", "rolling"] as const).map((alignment) => ({ unit, amount: 2, window, alignment })),
    ),
  );
  for (const budget of budgets) {
    const name = `${budget.unit.replace("_", "-")}-${budget.window}`;
    const who = principal(100, 10, `key_${name}_${budget.alignment}`, {
      budgets: [budget],
      models: [{ model: 'odd "model"\n', tokens_per_minute: 5 }],
    });
    const headers = headersOf(reserve(who));
    expect(parseList(headers["ratelimit-policy"] ?? "").map((policy) => policy.name)).toContain(name);
    expect(parseList(headers.ratelimit ?? "").map((limit) => limit.name)).toContain(name);
    if (budget.unit !== "requests") {
      const used = { promptTokens: 1, answerTokens: 1, heldMs: 100_000_000 };
      (await useModel(who, 1, 1)).settle(used);
    } else reserve(who);
    const refused = budget.unit === "requests" ? refusal(who) : await useProblem(who, 1, 1);
    const [limit] = parseList(refused.detail.headers?.ratelimit ?? "");
    expect([limit?.name, limit?.parameters.r]).toEqual([name, "0"]);
    const retryAfterMs = refused.detail.retryAfterMs ?? Number.POSITIVE_INFINITY;
    expect(retryAfterMs === Number.POSITIVE_INFINITY).toBe(budget.window === "total");
    expect(Math.ceil(retryAfterMs / 1000)).toBeGreaterThanOrEqual(Number(limit?.parameters.t ?? 0));
  }
});

test("L2: a rejection names the limit, its key and when to retry, and the request is accepted then", () => {
  const who = principal(3, 10);
  for (let n = 0; n < 3; n++) {
    reserve(who).release();
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
  reserve(who);
});

test("requests over the parallel limit are rejected until one ends", () => {
  const who = principal(100, 2);
  const first = reserve(who);
  reserve(who);
  const error = refusal(who);
  expect(error.message).toBe(
    'The key "ci-bot" has reached its limit of 2 parallel requests. Try again when one of them has finished.',
  );
  expect([error.detail.retryAfterMs, error.detail.headers?.ratelimit]).toEqual([1000, '"parallel";r=0']);
  first.release();
  reserve(who);
});

test("a rejected request doesn't count", async () => {
  const who = principal(100, 1);
  reserve(who);
  for (let n = 0; n < 50; n++) refusal(who);
  expect(await usedOf(who)).toEqual([1, 1]);
});

test("keys don't share a limit", () => {
  reserve(principal(1, 1, "key_a"));
  reserve(principal(1, 1, "key_b"));
  refusal(principal(1, 1, "key_a"));
});

test("a changed limit applies from the next request on", () => {
  reserve(principal(1, 1));
  refusal(principal(1, 2));
  reserve(principal(2, 2));
  expect(refusal(principal(1, 5)).detail.retryAfterMs).toBe(MINUTE_MS + 100);
});

test("explain doesn't count, and says whether a request would be accepted", async () => {
  const who = principal(2, 5);
  for (let n = 0; n < 10; n++) await ledger.explain(who);
  reserve(who);
  reserve(who);
  nowMs += 20_000;
  const common = { unit: "requests", scope: "key", model: null, mode: "enforce" } as const;
  expect(toExplanation(who, await ledger.explain(who), nowMs)).toMatchObject({
    would_refuse: true,
    retry_after_ms: 40_100,
    limits: [
      {
        ...common,
        name: "requests_per_minute",
        limit: 2,
        used: 2,
        remaining: 0,
        window: "rolling",
        window_seconds: 60,
        would_refuse: true,
        frees_at: new Date(nowMs + 40_100).toISOString(),
      },
      {
        ...common,
        name: "parallel_requests",
        limit: 5,
        used: 2,
        remaining: 3,
        window: "none",
        window_seconds: null,
        would_refuse: false,
        frees_at: null,
      },
    ],
  });
});

const MODEL = { id: "small", contextWindow: 2048 };
const callOf = (principal: Principal, headers: Record<string, string> = {}): Asking => ({
  principal,
  requestId: "req_1",
  priority: "interactive",
  directives: NO_DIRECTIVES,
  receivedAt: 0,
  route: "/v1/chat",
  addHeaders: (added) => void Object.assign(headers, added),
});
const useModel = async (who: Principal, promptTokens: number, answerTokens?: number, headers = {}) => {
  const use = await ledger.useModel(callOf(who, headers), MODEL, () => ({
    isEmbedding: false,
    promptTokens,
    answerTokens,
  }));
  if (!use) throw new Error("No limit counts it.");
  return use;
};
const useProblem = (who: Principal, promptTokens: number, answerTokens?: number) =>
  problemOf(useModel(who, promptTokens, answerTokens));
const stateOf = async (who: Principal, name: string, model: string | null = null) =>
  toExplanation(who, await ledger.explain(who), nowMs).limits.find(
    (limit) => limit.name === name && limit.model === model,
  );

test("a key without limits of tokens, money, GPU-seconds or models reserves nothing for a model", () => {
  expect(
    ledger.useModel(callOf(principal(10, 10)), MODEL, () => ({ isEmbedding: false, promptTokens: 5 })),
  ).toBeUndefined();
});

test("L3: tokens are reserved before the call from prompt and max_tokens, and corrected after it", async () => {
  const who = principal(100, 10, "key_a", { tokensPerMinute: 1000 });
  const headers: Record<string, string> = {};
  reserve(who);
  const first = await useModel(who, 100, 500, headers);
  expect(headers).toMatchObject({
    ratelimit: '"requests";r=99;t=61, "parallel";r=9, "tokens";r=400;t=61',
    "x-ratelimit-remaining-requests": "99",
    "x-ratelimit-limit-tokens": "1000",
    "x-ratelimit-remaining-tokens": "400",
    "x-ratelimit-reset-tokens": "1m0.1s",
  });
  const refused = await useProblem(who, 100, 301);
  expect([refused.kind, refused.message]).toEqual([
    "rate_limited",
    'The key "ci-bot" has 400 tokens left of its limit of 1,000 tokens per minute, but this request needs 401 tokens. Try again in 61 s.',
  ]);
  expect(refused.detail.headers).toMatchObject({
    ratelimit: '"tokens";r=400;t=61',
    "x-ratelimit-remaining-tokens": "400",
  });
  first.settle({ promptTokens: 20, answerTokens: 30, heldMs: 10 });
  first.settle({ promptTokens: 900, answerTokens: 900, heldMs: 10 });
  first.cancel();
  expect((await stateOf(who, "tokens_per_minute"))?.used).toBe(50);
  (await useModel(who, 100, 301)).cancel();
  expect((await stateOf(who, "tokens_per_minute"))?.used).toBe(50);
});

test("L3: a request without max_tokens may use what is left; parallel ones can't overspend beyond their answers", async () => {
  const who = principal(100, 10, "key_a", { tokensPerMinute: 1500 });
  const uses = [await useModel(who, 100), await useModel(who, 100)];
  // The first reserved 100 + 1,024 tokens, the second the rest.
  expect((await stateOf(who, "tokens_per_minute"))?.remaining).toBe(0);
  expect((await useProblem(who, 1)).kind).toBe("rate_limited");
  for (const use of uses) use.settle({ promptTokens: 100, answerTokens: 1900, heldMs: 10 });
  // The running streams were completed, and the next request has to wait.
  expect((await stateOf(who, "tokens_per_minute"))?.used).toBe(4000);
  expect((await useProblem(who, 1)).kind).toBe("rate_limited");
});

test("a request that could never fit is invalid, so that clients don't repeat it", async () => {
  const who = principal(100, 10, "key_a", { tokensPerMinute: 100 });
  const refused = await useProblem(who, 50, 100);
  expect([refused.kind, refused.detail.param, refused.message]).toEqual([
    "invalid_request",
    "max_tokens",
    'This request needs up to 150 tokens, but the key "ci-bot" is limited to 100 tokens per minute. Shorten the prompt, or send a smaller max_tokens or n.',
  ]);
});

test("the time in a message is that of the reset, however long the refusal took", () => {
  for (const tookMs of [0, 1, 400]) {
    nowMs = Date.UTC(2026, 10, 29, 20, 15) + 10;
    ledger = newLedger(tookMs);
    const who = principal(100, 10, "key_a", { budgets: [{ unit: "requests", amount: 1, window: "day" }] });
    reserve(who).release();
    expect(refusal(who).message).toEndWith("Try again after 2026-11-30 00:00 UTC.");
  }
});

test("several budgets apply at once, and the one that frees last is named", async () => {
  nowMs = Date.UTC(2026, 10, 29, 20, 15);
  const who = principal(100, 10, "key_a", {
    tokensPerMinute: 100,
    budgets: [
      { unit: "tokens", amount: 150, window: "day" },
      { unit: "tokens", amount: 200, window: "month", alignment: "rolling" },
    ],
  });
  (await useModel(who, 50, 50)).settle({ promptTokens: 50, answerTokens: 50, heldMs: 1 });
  const refused = await useProblem(who, 1, 50);
  expect([refused.kind, refused.message, refused.detail.retryAfterMs]).toEqual([
    "budget_exceeded",
    'The key "ci-bot" has 50 tokens left of its limit of 150 tokens per day, but this request needs 51 tokens. Try again after 2026-11-30 00:00 UTC.',
    3.75 * 3_600_000,
  ]);
  expect(refused.detail.headers?.ratelimit).toBe('"tokens-day";r=50;t=13500');
  nowMs = Date.UTC(2026, 10, 30);
  (await useModel(who, 40, 50)).settle({ promptTokens: 40, answerTokens: 50, heldMs: 1 });
  expect((await useProblem(who, 1, 50)).message).toContain("200 tokens per month");
});

test("money and GPU-seconds follow the time of the machine, and a used-up total ends with 402", async () => {
  const who = principal(100, 10, "key_a", {
    budgets: [
      { unit: "money", amount: 0.01, window: "total" },
      { unit: "gpu_seconds", amount: 20, window: "day" },
    ],
  });
  // 80 s of one of 8 slots are 10 s of the machine, at 3.60 USD an hour.
  (await useModel(who, 10, 10)).settle({ promptTokens: 10, answerTokens: 10, heldMs: 80_000 });
  expect([(await stateOf(who, "gpu_seconds_per_day"))?.used, (await stateOf(who, "money_total"))?.used]).toEqual([
    10, 0.01,
  ]);
  const refused = await useProblem(who, 1, 1);
  expect([refused.status, refused.kind, refused.message]).toEqual([
    402,
    "budget_exhausted",
    'The key "ci-bot" has used up its 0.01 USD in total. Ask an admin for a larger budget.',
  ]);
});

test("what a model will take is learned, so parallel calls reserve what is likely", async () => {
  const who = principal(100, 10, "key_a", { budgets: [{ unit: "gpu_seconds", amount: 1000, window: "hour" }] });
  (await useModel(who, 50, 50)).settle({ promptTokens: 50, answerTokens: 50, heldMs: 80_000 });
  await useModel(who, 50, 50);
  expect((await stateOf(who, "gpu_seconds_per_hour"))?.used).toBe(20);
});

test("limits for a model apply to that model only, and not to the requests of jobs workers", async () => {
  const who = principal(100, 10, "key_a", {
    models: [{ model: "small", requests_per_minute: 1, parallel_requests: 1, tokens_per_minute: 100 }],
  });
  const running = await useModel(who, 10, 10);
  expect((await useProblem(who, 1, 1)).message).toBe(
    'The key "ci-bot" has reached its limit of 1 request per minute for the model small. Try again in 61 s.',
  );
  expect(
    ledger.useModel(callOf(who), { ...MODEL, id: "large" }, () => ({ isEmbedding: false, promptTokens: 1 })),
  ).toBeUndefined();
  const worker = { ...who, via: "worker" as const };
  (await useModel(worker, 10, 10)).settle({ promptTokens: 10, answerTokens: 10, heldMs: 1 });
  expect((await useProblem(worker, 50, 50)).message).toContain("100 tokens per minute for the model small");
  running.settle({ promptTokens: 10, answerTokens: 10, heldMs: 1 });
  expect((await stateOf(who, "parallel_requests", "small"))?.used).toBe(0);
});

test("observed limits count and are reported, but neither refuse nor appear in headers", async () => {
  const who = principal(1, 1, "key_a", { tokensPerMinute: 10, observeOnly: true });
  for (let n = 0; n < 3; n++) expect(headersOf(reserve(who))).toEqual({});
  await useModel(who, 100, 100);
  expect(await stateOf(who, "requests_per_minute")).toMatchObject({ mode: "observe", used: 3, would_refuse: true });
  expect(toExplanation(who, await ledger.explain(who), nowMs).would_refuse).toBe(false);
  expect(ledger.refusals()).toEqual([
    { limit: "requests_per_minute", scope: "key", mode: "observe", total: 2 },
    { limit: "parallel_requests", scope: "key", mode: "observe", total: 2 },
    { limit: "tokens_per_minute", scope: "key", mode: "observe", total: 1 },
  ]);
  reserve(principal(5, 1, "key_b"));
  refusal(principal(5, 1, "key_b"));
  expect(ledger.refusals().at(-1)).toEqual({ limit: "parallel_requests", scope: "key", mode: "enforce", total: 1 });
});

test("explain names who used the limits", async () => {
  const who = principal(10, 10, "key_a", { tokensPerMinute: 1000 });
  reserve(who).release();
  (await useModel(who, 10, 10)).settle({ promptTokens: 12, answerTokens: 8, heldMs: 4000 });
  nowMs += 1000;
  const worker = { ...callOf({ ...who, via: "worker" }), runId: "run_1" };
  const use = await ledger.useModel(worker, MODEL, () => ({ isEmbedding: false, promptTokens: 1 }));
  use?.settle({ promptTokens: 5, answerTokens: 5, heldMs: 0 });
  const { consumers } = toExplanation(who, await ledger.explain(who), nowMs);
  expect(
    consumers.map(({ route, model, run_id, requests, tokens, gpu_seconds }) => [
      route,
      model,
      run_id,
      requests,
      tokens,
      gpu_seconds,
    ]),
  ).toEqual([
    ["/v1/chat", "small", "run_1", 1, 10, 0],
    ["/v1/chat", null, null, 1, 0, 0],
    ["/v1/chat", "small", null, 1, 20, 0.5],
  ]);
});

test("a rotated key shares the counters of the key that it replaces", async () => {
  const old = principal(2, 5);
  reserve(old);
  reserve({ ...principal(2, 5, "key_b", { account: "key_a" }) });
  expect(refusal(old).kind).toBe("rate_limited");
});
