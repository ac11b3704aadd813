import { AppError } from "../../../lib/errors";
import type { Interval } from "../statistics-contract";
import { bcaInterval, bootstrap, sumDrawn } from "./bootstrap";
import {
  type Clusters,
  clusterRobustInterval,
  clusterRobustRateInterval,
  clustersOf,
  type Groups,
  singletons,
} from "./clusters";
import { clip, DEFAULT_LEVEL, mean, type Range, studentInterval, unvaryingInterval, wilsonInterval } from "./interval";

/** A mean or rate, with its uncertainty. */
export interface Estimate {
  n: number;
  /** null without values. */
  value: number | null;
  /** null if the data allows no interval. */
  interval: Interval | null;
  /** The number of groups that the interval takes into account; null if values are independent. */
  clusters: number | null;
}

export interface EstimateOptions {
  /** Omitted if all values are independent. */
  groups?: Groups;
  /** Bounds of all possible values, which intervals don't exceed. Omitted if unknown. */
  range?: Range;
  level?: number;
  seed?: number;
}

/** Below this number of units, resamples are too few for a 95 % interval, so Student's t is used. */
export const BOOTSTRAP_FROM = 20;
/** Above this number of values, a mean is nearly normal, so Student's t gives the same result as fifty million draws. */
const BOOTSTRAP_TO = 5000;

/** More than the default: a mean is cheap to compute, and its interval gets more precise. */
export const MEAN_RESAMPLES = 10_000;

/** Whether values are equal apart from rounding. Then their spread says nothing about unseen values. */
export const isUnvarying = (values: readonly number[]): boolean => {
  const [first = 0] = values;
  return values.every((value) => Math.abs(value - first) <= Math.abs(first) * 1e-12);
};

export const isVerdict = (value: number): boolean => value === 0 || value === 1;

const bootstrapMean = (values: readonly number[], clusters: Clusters, options: EstimateOptions): Interval | null => {
  const units = Float64Array.from(values);
  const [distribution] = bootstrap(units.length, (drawn) => [sumDrawn(units, drawn) / drawn.length], {
    resamples: MEAN_RESAMPLES,
    seed: options.seed,
  });
  return bcaInterval(distribution, clusters, options.level);
};

const chooseInterval = (values: readonly number[], clusters: Clusters, options: EstimateOptions): Interval | null => {
  const { range, level = DEFAULT_LEVEL } = options;
  const [first] = values;
  if (first === undefined || (clusters.areShared && clusters.count === 1)) return null;
  if (isUnvarying(values)) return range ? unvaryingInterval(first, clusters.count, range, level) : null;
  const isRate = range?.[0] === 0 && range[1] === 1 && values.every(isVerdict);
  if (clusters.areShared) return (isRate ? clusterRobustRateInterval : clusterRobustInterval)(values, clusters, level);
  if (isRate) return wilsonInterval(mean(values) * values.length, values.length, level);
  const isNormal = values.length < BOOTSTRAP_FROM || values.length > BOOTSTRAP_TO;
  return isNormal ? studentInterval(values, level) : bootstrapMean(values, clusters, options);
};

/**
 * The mean of the values with an interval, whose `method` depends on the values. Verdicts (0 or 1, range [0, 1]):
 * Wilson. Other values: Student's t for fewer than 20 or more than 5,000, otherwise BCa bootstrap. Values that share
 * groups: cluster-robust. Equal values: Wilson's bound on unseen values, if the range is known. Throws invalid_request
 * for values that are not finite, or if the numbers of groups and values differ.
 */
export const estimateMean = (values: readonly number[], options: EstimateOptions = {}): Estimate => {
  checkValues(values, options.groups);
  const clusters = options.groups ? clustersOf(options.groups) : singletons(values.length);
  const interval = chooseInterval(values, clusters, options);
  return {
    n: values.length,
    clusters: clusters.areShared ? clusters.count : null,
    value: values.length === 0 ? null : mean(values),
    interval: interval && options.range ? clip(interval, options.range) : interval,
  };
};

/** Throws invalid_request for a value that is not finite, and if the numbers of groups and values differ. */
export const checkValues = (values: readonly number[], groups?: Groups): void => {
  if (groups && groups.length !== values.length) {
    throw new AppError(
      "invalid_request",
      `There are ${values.length} values but ${groups.length} groups. Give one group per value.`,
    );
  }
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong === -1) return;
  throw new AppError("invalid_request", `Value ${wrong} is ${values[wrong]}. Leave out missing values.`);
};
