import { clusterRobustError, clustersOf, designEffect, type Groups } from "../../evals/statistics/clusters";
import { estimateMean, isVerdict } from "../../evals/statistics/estimate";
import type { Range } from "../../evals/statistics/interval";
import { samplesToDecide } from "../../evals/statistics/power";
import { count, withoutValue } from "../words";
import type { RuleVerdict } from "./contract";

/** The verdict on a rule, without the rule itself. */
export type Judged = Omit<RuleVerdict, "rule" | "text">;

/** Values with a bound to meet, and the values that all samples could have. */
export interface Evidence {
  values: readonly number[];
  groups: Groups;
  /** All samples, as if all values that are errors or missing were the worst, and the best. */
  all: { worst: number[]; best: number[]; groups: (string | null)[] };
  /** Samples with a value that is an error or missing. */
  unresolved: number;
  range: Range;
  bound: number;
  isAtLeast: boolean;
  /** The values in words: "the pass rate". */
  name: string;
  /** A value, and a difference of values, in words. */
  show: (value: number) => string;
  /** How the unresolved values can be obtained, in words. */
  remedy: string;
}

export const UNDECIDED = { verdict: "not_enough_data", value: null, interval: null, samples_needed: null } as const;

/** Passes if the interval meets the bound with the worst unresolved values; fails if it misses the bound with the best. */
export const decide = (evidence: Evidence): Judged => {
  const { values, groups, all, unresolved, range, bound, isAtLeast, name, show, remedy } = evidence;
  const { value, interval } = estimateMean(values, { groups, range });
  const intervalOf = (possible: readonly number[]) =>
    unresolved === 0 ? interval : estimateMean(possible, { groups: all.groups, range }).interval;
  const [pessimistic, optimistic] = [intervalOf(all.worst), intervalOf(all.best)];
  const known = { value, interval, n: values.length, unresolved };
  const [least, most] = isAtLeast ? ["at least", "below"] : ["at most", "above"];
  const measured =
    value === null
      ? "No sample has a value"
      : `${capitalize(name)} is ${show(value)}${interval ? ` (95 % interval ${show(interval.low)} to ${show(interval.high)})` : ""} on ${count(values.length, "sample")}`;
  const meets = (low: number, high: number) => (isAtLeast ? low >= bound : high <= bound);
  const misses = (low: number, high: number) => (isAtLeast ? high < bound : low > bound);
  if (pessimistic && value !== null && meets(pessimistic.low, pessimistic.high))
    return { ...known, verdict: "pass", samples_needed: null, reason: `${measured}: ${least} ${show(bound)}.` };
  if (optimistic && misses(optimistic.low, optimistic.high))
    return { ...known, verdict: "fail", samples_needed: null, reason: `${measured}: ${most} ${show(bound)}.` };
  if (
    unresolved > 0 &&
    (value === null || (interval && (meets(interval.low, interval.high) || misses(interval.low, interval.high))))
  ) {
    const reason = `${measured}, but ${withoutValue(unresolved, unresolved > all.worst.length - values.length)} could change the result. ${remedy}`;
    return { ...known, ...UNDECIDED, value, interval, reason };
  }
  const needed = interval ? neededFor(evidence, value ?? bound) : null;
  const more =
    needed === null
      ? "More samples like these would not decide it."
      : `About ${count(needed, "more sample")} would decide it.`;
  const why = interval
    ? `the interval contains ${show(bound)}. ${more}`
    : "there are too few independent samples for an interval.";
  return { ...known, ...UNDECIDED, value, interval, samples_needed: needed, reason: `${measured}: ${why}` };
};

const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** How many more samples the interval needs, if value and spread stay the same; null if no number is enough. */
const neededFor = ({ values, groups, range, bound }: Evidence, value: number): number | null => {
  const clusters = clustersOf(groups);
  const isRate = range[0] === 0 && range[1] === 1 && values.every(isVerdict);
  const error = clusterRobustError(values, clusters) ?? 0;
  const variance = isRate ? bound * (1 - bound) : values.length * error ** 2;
  if (variance <= 0) return null;
  const effect = isRate && clusters.areShared ? (designEffect(values, clusters) ?? 1) : 1;
  const total = samplesToDecide(value, bound, variance, { designEffect: effect });
  return total === null ? null : Math.max(1, total - values.length);
};
