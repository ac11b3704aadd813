import { percentileBounds, percentileInterval, percentiles, valuesToDecide } from "../../evals/statistics/percentiles";
import type { RunTable } from "../table";
import { count, duration as show } from "../words";
import type { GateRule } from "./contract";
import { type Judged, UNDECIDED } from "./evidence";

/** A result without an answer counts as slower than all others. */
export const judgeLatency = (table: RunTable, { of, at_most: most = 0 }: GateRule): Judged => {
  const times = of.startsWith("ttft") ? table.times.ttft : table.times.total;
  const share = of.endsWith("p50") ? 0.5 : 0.95;
  const n = times.length;
  const [value = 0] = percentiles(times, [share]);
  const ended = table.results.reduce((sum, each) => sum + each, 0);
  const unresolved = table.failed + Math.max(0, table.expected.results - ended);
  if (n === 0)
    return {
      ...UNDECIDED,
      n,
      unresolved,
      reason: "No answer was timed: answers from the cache and stored outputs have no latency.",
    };
  const interval = percentileInterval(times, share);
  const slow = Float64Array.from([...times, ...Array<number>(unresolved).fill(Number.POSITIVE_INFINITY)]);
  const fast = Float64Array.from([...Array<number>(unresolved).fill(0), ...times]);
  const [{ high = Number.POSITIVE_INFINITY }, { low = 0 }] = [
    percentileBounds(slow, share),
    percentileBounds(fast, share),
  ];
  const [part, percentile] = of.split("_");
  const measured = `The ${percentile === "p50" ? "median" : "95th percentile"} of the ${part === "ttft" ? "time to first token" : "latency"} is ${show(value)}${interval ? ` (95 % interval ${show(interval.low)} to ${show(interval.high)})` : ""} on ${count(n, "answer")}`;
  const known = { value, interval, n, unresolved, samples_needed: null };
  if (high <= most) return { ...known, verdict: "pass", reason: `${measured}: at most ${show(most)}.` };
  if (low > most) return { ...known, verdict: "fail", reason: `${measured}: above ${show(most)}.` };
  const within = times.filter((ms) => ms <= most).length / n;
  const total = valuesToDecide(n, within, share);
  const needed = total === null ? null : Math.max(1, total - n);
  const more = needed === null ? "" : ` About ${count(needed, "more answer")} would decide it.`;
  return {
    ...known,
    ...UNDECIDED,
    value,
    interval,
    samples_needed: needed,
    reason: `${measured}: not enough to decide whether it is at most ${show(most)}.${more}`,
  };
};
