import { clusterRobustError, clustersOf, designEffect, type Groups } from "../evals/statistics/clusters";
import { estimateMean, isVerdict } from "../evals/statistics/estimate";
import type { Range } from "../evals/statistics/interval";
import { samplesToDecide } from "../evals/statistics/power";
import type { RuleVerdict } from "./gate-contract";
import { count } from "./words";

/** The verdict on a rule, without the rule itself. */
export type Judged = Omit<RuleVerdict, "rule" | "text">;

/** The values of a figure, the bound it must meet, and the values that unresolved samples could have. */
export interface Evidence {
  values: readonly number[];
  groups: Groups;
  /** The worst and best values of the samples that are errors or missing. */
  worst: readonly number[];
  best: readonly number[];
  range: Range;
  bound: number;
  isAtLeast: boolean;
  /** The values in words: "the pass rate". */
  name: string;
  /** A value, and a difference of values, in words. */
  show: (value: number) => string;
}

export const UNDECIDED = { verdict: "not_enough_data", value: null, interval: null, samples_needed: null } as const;

/** Passes if the interval meets the bound with the worst unresolved values; fails if it misses the bound with the best. */
export const decide = (evidence: Evidence): Judged => {
  const { values, groups, worst, best, range, bound, isAtLeast, name, show } = evidence;
  const intervalWith = (added: readonly number[]) => {
    const all = { groups: [...groups, ...added.map(() => null)], range };
    return estimateMean([...values, ...added], all).interval;
  };
  const { value } = estimateMean(values, { groups, range });
  const unresolved = worst.length;
  const interval = intervalWith([]);
  const [pessimistic, optimistic] = unresolved === 0 ? [interval, interval] : [intervalWith(worst), intervalWith(best)];
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
    const reason = `${measured}, but ${count(unresolved, "sample")} without a value could change the result. Retry the errors.`;
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
