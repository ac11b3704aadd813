import { type Answer, CAPACITY_SETTINGS, chat, goodput, measureCapacity, TOKEN_MS, TOKENS } from "../../bench/capacity";
import { sendAtRate } from "../../bench/open-loop";
import { percentiles } from "../../gateway/evals/statistics/percentiles";
import { Stack } from "../harness";
import { watchPeaks } from "../memory-growth";

/**
 * Sends three times as many requests as a node can answer, on a fixed schedule whether or not earlier ones are
 * answered: `bun run faults overload` for 30 s, `bun tests/faults/overload.ts 300` for 5 minutes. The node must stay as
 * productive as at full load, refuse the rest quickly, keep its memory, and recover.
 */

const SECONDS = Number(process.argv[2] ?? 30);
const LIMITS = { goodput: 0.9, refusalMs: 50, growthMib: 50, recoveryMs: 5000 };
const PEAK_S = 30;
/** The queue fills during this time, so its answers don't count. */
const FILLING_MS = 5000;

const stack = await Stack.start({
  engine: "synthetic",
  env: { ...CAPACITY_SETTINGS, GROUNDWIRE_CACHE: "false", GROUNDWIRE_LOG_LEVEL: "error" },
});
try {
  const call = () => chat(stack, { stream: true });
  const watch = () => watchPeaks([stack.gateway.pid, stack.node.pid]);
  // Memory is compared with its peak at full load: garbage collection alone makes it vary by 35 to 50 MiB.
  const atFullLoad = watch();
  const peak = await measureCapacity(stack, PEAK_S);
  const fullMib = atFullLoad();
  const overloaded = watch();
  const { startedAt, endedAt: endsAt, answers: all } = await sendAtRate(3 * peak, SECONDS, call);
  const [gatewayMib = 0, nodeMib = 0] = overloaded().map((mib, index) => mib - (fullMib[index] ?? 0));

  // The load has ended. Recovered: a request is answered almost as fast as by an idle node.
  const usualMs = TOKENS * TOKEN_MS;
  let recoveryMs = Number.POSITIVE_INFINITY;
  while (recoveryMs === Number.POSITIVE_INFINITY && performance.now() - endsAt < 30_000) {
    const { isComplete, startedAt: from, endedAt } = await call();
    if (isComplete && endedAt - from < 1.5 * usualMs) recoveryMs = from - endsAt;
  }

  const answers = await all;
  const refusals = answers.filter(({ status }) => status === 429 || status === 503);
  const others = answers.filter((answer) => !answer.isComplete && !refusals.includes(answer)).length;
  const share = goodput(answers, startedAt + FILLING_MS, endsAt) / peak;
  const withoutRetryAfter = refusals.filter(({ headers }) => !(Number(headers.get("retry-after")) > 0)).length;
  const quantiles = (value: (refusal: Answer) => number) => percentiles(refusals.map(value), [0.5, 0.95, 0.99, 1]);
  const times = quantiles(({ startedAt: from, endedAt }) => endedAt - from);
  const own = quantiles(({ headers }) => Number(/total;dur=([\d.]+)/.exec(headers.get("server-timing") ?? "")?.[1]));
  const list = (values: readonly number[]) => values.map((ms) => ms.toFixed(1)).join(", ");

  const claims: [claim: string, measured: unknown, isKept: boolean][] = [
    ["answers per second, of the peak", `${(share * 100).toFixed(0)} % of ${peak.toFixed(1)}`, share >= LIMITS.goodput],
    ["refusals", `${refusals.length} of ${answers.length}`, refusals.length > answers.length / 3],
    ["refusals without retry-after", withoutRetryAfter, withoutRetryAfter === 0],
    ["time of a refusal, ms: p50, p95, p99, maximum", list(times), (times[1] ?? 0) < LIMITS.refusalMs],
    ["of which in the gateway and the node, ms", list(own), (own[2] ?? 0) < LIMITS.refusalMs],
    ["other failures", others, others === 0],
    ["growth of the gateway, MiB", gatewayMib.toFixed(0), gatewayMib < LIMITS.growthMib],
    ["growth of the node, MiB", nodeMib.toFixed(0), nodeMib < LIMITS.growthMib],
    ["recovery, ms", Math.round(recoveryMs), recoveryMs <= LIMITS.recoveryMs],
  ];
  for (const [claim, measured, isKept] of claims) console.log(`${isKept ? "kept" : "MISS"} ${claim}: ${measured}`);
  process.exitCode = claims.every(([, , isKept]) => isKept) ? 0 : 1;
} finally {
  await stack.stop();
}
