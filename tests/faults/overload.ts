import { residentMib } from "../../bench/processes";
import { Stack } from "../harness";

/**
 * Sends three times as many requests as a node can answer, at fixed moments whether or not earlier ones are answered:
 * `bun run faults overload` for 30 s, `bun tests/faults/overload.ts 300` for 5 minutes. The node must stay as
 * productive as at full load, refuse the rest quickly, keep its memory, and recover.
 */

const SECONDS = Number(process.argv[2] ?? 30);
const SLOTS = 8;
const TOKENS = 8;
const TOKEN_MS = 50;
const LIMITS = { goodput: 0.9, refusalMsP95: 50, growthMib: 50, recoveryMs: 5000 };
const PEAK_MS = 10_000;
/** The queue fills during this time, so its answers don't count. */
const WARMUP_MS = 5000;

interface Answer {
  status: number;
  /** Moments of `performance.now()`. */
  startedAt: number;
  endedAt: number;
  isComplete: boolean;
  hasRetryAfter: boolean;
}

const call = async (stack: Stack): Promise<Answer> => {
  const startedAt = performance.now();
  const body = { messages: [{ role: "user", content: crypto.randomUUID() }], stream: true };
  const response = await stack.fetch("/v1/chat/completions", { body });
  const text = await response.text();
  return {
    status: response.status,
    startedAt,
    endedAt: performance.now(),
    isComplete: response.status === 200 && text.endsWith("data: [DONE]\n\n"),
    hasRetryAfter: Number(response.headers.get("retry-after")) > 0,
  };
};

/** Complete answers per second between two moments. */
const goodput = (answers: readonly Answer[], fromMs: number, toMs: number): number =>
  (answers.filter(({ isComplete, endedAt }) => isComplete && endedAt > fromMs && endedAt <= toMs).length * 1000) /
  (toMs - fromMs);

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? 0;

/** As many answers per second as the node can give: every slot always has a request, and one waits for each. */
const measurePeak = async (stack: Stack): Promise<number> => {
  const startedAt = performance.now();
  const answers: Answer[] = [];
  const caller = async () => {
    while (performance.now() - startedAt < PEAK_MS) answers.push(await call(stack));
  };
  await Promise.all(Array.from({ length: 2 * SLOTS }, caller));
  return goodput(answers, startedAt + 1000, startedAt + PEAK_MS);
};

const stack = await Stack.start({
  engine: "synthetic",
  env: {
    GROUNDWIRE_NODE_SLOTS: String(SLOTS),
    GROUNDWIRE_SYNTHETIC_TOKENS: String(TOKENS),
    GROUNDWIRE_SYNTHETIC_TOKEN_MS: String(TOKEN_MS),
    GROUNDWIRE_REQUESTS_PER_MINUTE: "10000000",
    GROUNDWIRE_PARALLEL_REQUESTS: "100000",
    GROUNDWIRE_CACHE: "false",
    GROUNDWIRE_LOG_LEVEL: "error",
  },
});
try {
  const peak = await measurePeak(stack);
  const memoryMib = () => ({ gateway: residentMib(stack.gateway.pid), node: residentMib(stack.node.pid) });
  const before = memoryMib();

  const everyMs = 1000 / (3 * peak);
  const startedAt = performance.now();
  const endsAt = startedAt + SECONDS * 1000;
  const calls: Promise<Answer>[] = [];
  for (let due = startedAt; due < endsAt; due += everyMs) {
    await Bun.sleep(Math.max(0, due - performance.now()));
    calls.push(call(stack));
  }
  const after = memoryMib();

  // The load has ended. Recovered: a request is answered almost as fast as by an idle node.
  const usualMs = TOKENS * TOKEN_MS;
  let recoveryMs = Number.POSITIVE_INFINITY;
  while (recoveryMs === Number.POSITIVE_INFINITY && performance.now() - endsAt < 30_000) {
    const { isComplete, startedAt: from, endedAt } = await call(stack);
    if (isComplete && endedAt - from < 1.5 * usualMs) recoveryMs = from - endsAt;
  }

  const answers = await Promise.all(calls);
  const refusals = answers.filter(({ status }) => status === 429 || status === 503);
  const refusalMs = refusals.map(({ startedAt: from, endedAt }) => endedAt - from);
  const others = answers.filter((answer) => !answer.isComplete && !refusals.includes(answer)).length;
  const share = goodput(answers, startedAt + WARMUP_MS, endsAt) / peak;
  const growthMib = { gateway: after.gateway - before.gateway, node: after.node - before.node };

  const claims: [claim: string, measured: unknown, isKept: boolean][] = [
    ["answers per second, of the peak", `${(share * 100).toFixed(0)} % of ${peak.toFixed(1)}`, share >= LIMITS.goodput],
    ["refusals", `${refusals.length} of ${answers.length}`, refusals.length > answers.length / 3],
    [
      "refusals without retry-after",
      refusals.filter(({ hasRetryAfter }) => !hasRetryAfter).length,
      refusals.every(({ hasRetryAfter }) => hasRetryAfter),
    ],
    ["time of a refusal, ms: p50", quantile(refusalMs, 0.5).toFixed(1), true],
    [
      "time of a refusal, ms: p95",
      quantile(refusalMs, 0.95).toFixed(1),
      quantile(refusalMs, 0.95) < LIMITS.refusalMsP95,
    ],
    ["time of a refusal, ms: maximum", quantile(refusalMs, 1).toFixed(1), true],
    ["other failures", others, others === 0],
    ["growth of the gateway, MiB", growthMib.gateway.toFixed(0), growthMib.gateway < LIMITS.growthMib],
    ["growth of the node, MiB", growthMib.node.toFixed(0), growthMib.node < LIMITS.growthMib],
    ["recovery, ms", Math.round(recoveryMs), recoveryMs <= LIMITS.recoveryMs],
  ];
  for (const [claim, measured, isKept] of claims) console.log(`${isKept ? "kept" : "MISS"} ${claim}: ${measured}`);
  process.exitCode = claims.every(([, , isKept]) => isKept) ? 0 : 1;
} finally {
  await stack.stop();
}
