import type { Interval, Rate } from "../statistics-contract";
import { type Clusters, eachOnce } from "./clusters";
import { normalCdf, normalQuantile, studentCdf, studentQuantile } from "./distributions";
import { DEFAULT_LEVEL, tailOf } from "./interval";
import { createRandom, type Random } from "./random";

/*
 * `drawn` is a list of positions of units, repeated as often as they were drawn. Statistics are computed from such lists,
 * so the same code computes the estimate and its resamples.
 */

/** The sum of the drawn units' values. */
export const sumDrawn = (values: Float64Array, drawn: Int32Array): number => {
  let sum = 0;
  for (let i = 0; i < drawn.length; i++) sum += values[drawn[i] ?? 0] ?? 0;
  return sum;
};

const DEFAULT_RESAMPLES = 2000;
const DEFAULT_SEED = 1;

export interface Resampling {
  resamples?: number;
  /** The same seed gives the same figures. */
  seed?: number;
}

/** The figures of drawn units, always in the same order. null if a figure is undefined for these units. */
type Figures = readonly (number | null)[];

/** The distribution of a figure across resamples of its units. */
export interface Distribution {
  units: number;
  /** The figure for the original units. */
  estimate: number | null;
  /** The figures for the resamples in ascending order, without undefined ones. */
  replicates: Float64Array;
  /** The fraction of resamples for which the figure is undefined. */
  undefinedShare: number;
  /** Efron's acceleration: one sixth of the skewness of the units' influence on the figure. */
  acceleration: number;
}

/**
 * Maximum number of units, or blocks of units, that the jackknife leaves out. More would take time without improving
 * precision.
 */
const MAX_BLOCKS = 1000;

/** Fills `drawn` with random indexes of units. */
const draw = (drawn: Int32Array, random: Random): void => {
  const units = drawn.length;
  for (let i = 0; i < units; i++) drawn[i] = random.nextBelow(units);
};

const shuffle = (positions: Int32Array, random: Random): Int32Array => {
  for (let last = positions.length - 1; last > 0; last--) {
    const other = random.nextBelow(last + 1);
    const kept = positions[last] ?? 0;
    positions[last] = positions[other] ?? 0;
    positions[other] = kept;
  }
  return positions;
};

/** The figures without each unit; with more than 1,000 units, without each of 1,000 random blocks. */
const jackknife = (units: number, compute: (drawn: Int32Array) => Figures, random: Random): Figures[] => {
  const blocks = Math.min(units, MAX_BLOCKS);
  // Blocks of neighbouring units would make sorted units look more skewed than they are.
  const order = blocks < units ? shuffle(eachOnce(units), random) : eachOnce(units);
  return Array.from({ length: blocks }, (_, block) => {
    const start = Math.floor((block * units) / blocks);
    const end = Math.floor(((block + 1) * units) / blocks);
    const left = new Int32Array(units - (end - start));
    left.set(order.subarray(0, start));
    left.set(order.subarray(end), start);
    return compute(left);
  });
};

/** Computes the acceleration from the jackknife (Efron 1987, "Better bootstrap confidence intervals"). */
const accelerationOf = (leftOut: Figures): number => {
  const values = leftOut.filter((value) => value !== null);
  const centre = values.reduce((sum, value) => sum + value, 0) / values.length;
  let squares = 0;
  let cubes = 0;
  for (const value of values) {
    squares += (centre - value) ** 2;
    cubes += (centre - value) ** 3;
  }
  return squares > 0 ? cubes / (6 * squares ** 1.5) : 0;
};

/**
 * Draws `units` units with replacement, 2,000 times by default (Efron 1979), and returns the distribution of each figure.
 * Units are independent: samples, or groups of samples. `compute` must not keep its list, which is reused.
 */
export const bootstrap = <const F extends Figures>(
  units: number,
  compute: (drawn: Int32Array) => F,
  { resamples = DEFAULT_RESAMPLES, seed = DEFAULT_SEED }: Resampling = {},
): { [K in keyof F]: Distribution } => {
  const random = createRandom(seed);
  const estimates = compute(eachOnce(units));
  const replicates = estimates.map(() => new Float64Array(resamples));
  const drawn = new Int32Array(units);
  for (let resample = 0; resample < resamples; resample++) {
    draw(drawn, random);
    compute(drawn).forEach((figure, i) => {
      const column = replicates[i];
      if (column) column[resample] = figure ?? Number.NaN;
    });
  }
  const leftOut = jackknife(units, compute, random);
  const distributions = replicates.map((column, i): Distribution => {
    const defined = column.filter((value) => !Number.isNaN(value)).sort();
    return {
      units,
      estimate: estimates[i] ?? null,
      replicates: defined,
      undefinedShare: 1 - defined.length / resamples,
      acceleration: accelerationOf(leftOut.map((figures) => figures[i] ?? null)),
    };
  });
  return distributions as { [K in keyof F]: Distribution };
};

/** Above this fraction of resamples with an undefined figure, the others are not representative. */
const MAX_UNDEFINED_FRACTION = 0.025;

/** The fraction of replicates below `value`, with ties counted half, as in scipy. */
const shareBelow = ({ replicates }: Distribution, value: number): number => {
  let below = 0;
  let equal = 0;
  for (const replicate of replicates) {
    if (replicate < value) below++;
    else if (replicate === value) equal++;
  }
  return (below + equal / 2) / replicates.length;
};

/** The quantile with linear interpolation (type 7 of Hyndman and Fan 1996), `p` from 0 to 1. */
const quantileOf = (sorted: Float64Array, p: number): number => {
  const position = p * (sorted.length - 1);
  const index = Math.floor(position);
  const below = sorted[index] ?? Number.NaN;
  const above = sorted[index + 1] ?? below;
  return below + (position - index) * (above - below);
};

/** The median bias of the replicates, in standard deviations. It is finite even if all replicates are on one side. */
const biasOf = (distribution: Distribution, estimate: number): number => {
  const least = 0.5 / distribution.replicates.length;
  return normalQuantile(Math.min(Math.max(shareBelow(distribution, estimate), least), 1 - least));
};

/**
 * The bias-corrected and accelerated quantile for the normal quantile `z` (Efron and Tibshirani 1993, "An introduction to
 * the bootstrap", formula 14.10).
 */
export const bcaQuantile = (distribution: Distribution, estimate: number, z: number): number => {
  const bias = biasOf(distribution, estimate);
  const scale = 1 - distribution.acceleration * (bias + z);
  // This far out, the correction is undefined, so the outermost replicate is used.
  const p = scale > 0 ? normalCdf(bias + (bias + z) / scale) : Number(z > 0);
  return quantileOf(distribution.replicates, p);
};

/** The factor by which resamples have a smaller standard deviation than samples. */
const narrowing = (units: number): number => Math.sqrt((units - 1) / units);

const isTelling = ({ units, estimate, replicates, undefinedShare }: Distribution): boolean =>
  units >= 2 && estimate !== null && undefinedShare <= MAX_UNDEFINED_FRACTION && replicates.at(0) !== replicates.at(-1);

/**
 * BCa interval, widened for few units by the t quantile and the factor above (Hesterberg 2015, "What teachers should know
 * about the bootstrap"). `clusters` are the units. null if they don't vary, or if too many resamples leave the figure
 * undefined.
 */
export const bcaInterval = (
  distribution: Distribution,
  clusters: Pick<Clusters, "areShared">,
  level = DEFAULT_LEVEL,
): Interval | null => {
  const { units, estimate } = distribution;
  if (estimate === null || !isTelling(distribution)) return null;
  const z = studentQuantile(1 - tailOf(level), units - 1) / narrowing(units);
  return {
    low: bcaQuantile(distribution, estimate, -z),
    high: bcaQuantile(distribution, estimate, z),
    level,
    method: clusters.areShared ? "cluster_bootstrap" : "bca_bootstrap",
  };
};

/** The figure for the original units with its BCa interval; null if it is undefined. */
export const bcaRate = (distribution: Distribution, clusters: Pick<Clusters, "areShared">): Rate | null =>
  distribution.estimate === null
    ? null
    : { value: distribution.estimate, interval: bcaInterval(distribution, clusters) };

/**
 * Two-sided p for "the figure is `hypothesis`": the level at which the interval above just reaches it, so that test and
 * interval agree. At least 1 / (resamples + 1); 1 if the units don't vary.
 */
export const bcaPValue = (distribution: Distribution, hypothesis = 0): number => {
  const { units, estimate, replicates, acceleration } = distribution;
  if (estimate === null || !isTelling(distribution)) return 1;
  const count = replicates.length;
  // Replicates equal to the hypothesis support it, because an interval that ends there contains it.
  const isAbove = estimate > hypothesis;
  const speakForIt = replicates.filter((replicate) => (isAbove ? replicate <= hypothesis : replicate >= hypothesis));
  const tail = (speakForIt.length + 0.5) / (count + 1);
  const bias = biasOf(distribution, estimate);
  const deviation = normalQuantile(isAbove ? tail : 1 - tail) - bias;
  // The inverse of the correction in `bcaQuantile`, limited to its range.
  const z = deviation / Math.max(1 + acceleration * deviation, 1e-9) - bias;
  const oneSided = studentCdf(z * narrowing(units), units - 1);
  return Math.min(1, Math.max(2 * Math.min(oneSided, 1 - oneSided), 1 / (count + 1)));
};
