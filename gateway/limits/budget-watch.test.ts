import { beforeEach, expect, test } from "bun:test";
import { silentLog } from "../../lib/log";
import { memoryLedger } from "../adapters/ledger-memory";
import type { Budget } from "../limits-contract";
import type { Principal } from "../principal";
import { BudgetWatch } from "./budget-watch";
import { createLedger } from "./ledger";

const HOUR_MS = 3_600_000;
let nowMs: number;
const now = () => nowMs;
/** Type and use of each stored event; the database stores one per cause. */
let events: Map<string, string>;
let isBroken: boolean;
beforeEach(() => {
  nowMs = 1000 * 24 * HOUR_MS;
  events = new Map();
  isBroken = false;
});

const store = () => memoryLedger({ now, monotonic: now });

/** A gateway whose ledger uses this store. */
const gatewayOn = (shared = store()) => {
  const budgets = new BudgetWatch({
    store: shared,
    log: silentLog(),
    now,
    async publish({ type, cause, data }) {
      if (isBroken) throw new Error("disk full");
      if (!events.has(cause)) events.set(cause, `${type} ${data.used}/${data.limit} ${data.unit}`);
    },
  });
  const price = { gpuPricePerHour: 3.6, currency: "USD" };
  const ledger = createLedger({ store: shared, price, slots: () => ({ answers: 8, embeddings: 2 }), budgets, now });
  return { budgets, ledger };
};

const withBudget = (budget: Partial<Budget>): Principal => ({
  ...{ keyId: "key_a", keyName: "ci-bot", role: "member", contentLogging: true, via: "key" },
  limits: {
    requestsPerMinute: 1000,
    parallelRequests: 1000,
    budgets: [{ unit: "requests", amount: 10, window: "day", ...budget } as Budget],
  },
});

const send = async ({ ledger }: ReturnType<typeof gatewayOn>, who: Principal, requests: number): Promise<void> => {
  for (let n = 0; n < requests; n++) {
    try {
      (await ledger.reserve(who, "/v1/chat")).release();
    } catch {
      // Refused.
    }
  }
};

test("a budget is published once at 80 %, and once when it is spent", async () => {
  const gateway = gatewayOn();
  const who = withBudget({});
  await send(gateway, who, 7);
  await gateway.budgets.check();
  expect([...events.values()]).toEqual([]);
  await send(gateway, who, 1);
  await gateway.budgets.check();
  await send(gateway, who, 1);
  await gateway.budgets.check();
  expect([...events.values()]).toEqual(["budget.warning 8/10 requests"]);
  await send(gateway, who, 5);
  await gateway.budgets.check();
  await send(gateway, who, 5);
  await gateway.budgets.check();
  expect([...events.values()]).toEqual(["budget.warning 8/10 requests", "budget.spent 10/10 requests"]);
});

test("both are published if the whole budget is used at once, and again in the next window", async () => {
  const gateway = gatewayOn();
  const who = withBudget({});
  await send(gateway, who, 10);
  await gateway.budgets.check();
  nowMs += 24 * HOUR_MS;
  await send(gateway, who, 10);
  await gateway.budgets.check();
  expect([...events.values()].map((event) => event.split(" ")[0])).toEqual([
    ...["budget.warning", "budget.spent"],
    ...["budget.warning", "budget.spent"],
  ]);
});

test.each(["total", "month", "hour"] as const)("a budget per %s is published once by all gateways", async (window) => {
  const shared = store();
  const [one, other] = [gatewayOn(shared), gatewayOn(shared)];
  const who = withBudget({ window, alignment: "rolling" });
  await send(one, who, 5);
  await send(other, who, 4);
  await send(one, who, 1);
  await Promise.all([one.budgets.check(), other.budgets.check()]);
  expect([...events.values()].map((event) => event.split(" ")[0]).sort()).toEqual(["budget.spent", "budget.warning"]);
});

test("what a request only reserved is not published", async () => {
  const gateway = gatewayOn();
  const who = withBudget({ unit: "tokens", amount: 1000 });
  const call = { principal: who, route: "/v1/chat" } as Parameters<typeof gateway.ledger.useModel>[0];
  const model = { id: "m", contextWindow: 4096 };
  const work = () => ({ isEmbedding: false, promptTokens: 10, answerTokens: 900 });
  const use = await gateway.ledger.useModel(call, model, work);
  use?.settle({ promptTokens: 10, answerTokens: 20, heldMs: 100 });
  await gateway.budgets.check();
  expect([...events.values()]).toEqual([]);
  const second = await gateway.ledger.useModel(call, model, work);
  second?.settle({ promptTokens: 10, answerTokens: 850, heldMs: 100 });
  await send(gateway, who, 1);
  await gateway.budgets.check();
  expect([...events.values()]).toEqual(["budget.warning 890/1000 tokens"]);
  // The request doesn't fit any more.
  await expect(gateway.ledger.useModel(call, model, work)).rejects.toThrow();
  await gateway.budgets.check();
  expect([...events.values()].at(-1)).toBe("budget.spent 890/1000 tokens");
});

test("what can't be published is published later", async () => {
  const gateway = gatewayOn();
  isBroken = true;
  await send(gateway, withBudget({}), 8);
  await gateway.budgets.check();
  isBroken = false;
  await gateway.budgets.check();
  expect([...events.values()]).toEqual(["budget.warning 8/10 requests"]);
});

test("published budgets are forgotten when their window ends", async () => {
  const gateway = gatewayOn();
  for (const keyId of ["key_a", "key_b"]) await send(gateway, { ...withBudget({}), keyId }, 10);
  await gateway.budgets.check();
  expect([gateway.budgets.size, events.size]).toEqual([2, 4]);
  nowMs += 24 * HOUR_MS;
  await gateway.budgets.check();
  expect(gateway.budgets.size).toBe(0);
});
