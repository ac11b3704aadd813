import type { Interval } from "../statistics-contract";
import type { Distribution } from "./bootstrap";
import type { Clusters } from "./clusters";
import { normalCdf, normalQuantile, studentCdf, studentQuantile } from "./distributions";
import { DEFAULT_LEVEL, tailOf } from "./interval";

/** If a larger share of resamples leaves a figure undefined, the others are not representative. */
const MAX_UNDEFINED_SHARE = 0.025;

/** Share of replicates below `value`; ties count half, as in scipy. */
const shareBelow = ({ replicates }: Distribution, value: number): number => {
  let below = 0;
  let equal = 0;
  for (const replicate of replicates) {
    if (replicate < value) below++;
    else if (replicate === value) equal++;
  }
  return (below + equal / 2) / replicates.length;
};

/** Quantile with linear interpolation (type 7 of Hyndman and Fan 1996), `p` from 0 to 1. */
const quantileOf = (sorted: Float64Array, p: number): number => {
  const position = p * (sorted.length - 1);
  const index = Math.floor(position);
  const below = sorted[index] ?? Number.NaN;
  const above = sorted[index + 1] ?? below;
  return below + (position - index) * (above - below);
};

/** Median bias of the replicates in standard deviations. Finite even if all are on one side. */
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
  // The correction is undefined this far out, so the outermost replicate is used.
  const p = scale > 0 ? normalCdf(bias + (bias + z) / scale) : Number(z > 0);
  return quantileOf(distribution.replicates, p);
};

/** Factor by which the standard deviation of resamples is smaller than that of samples. */
const narrowing = (units: number): number => Math.sqrt((units - 1) / units);

const isTelling = ({ units, estimate, replicates, undefinedShare }: Distribution): boolean =>
  units >= 2 && estimate !== null && undefinedShare <= MAX_UNDEFINED_SHARE && replicates.at(0) !== replicates.at(-1);

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

/**
 * Two-sided p for "the figure is `hypothesis`": the level at which the interval above just reaches it, so that test and
 * interval agree. At least 1 / (resamples + 1); 1 if the units don't vary.
 */
export const bcaPValue = (distribution: Distribution, hypothesis = 0): number => {
  const { units, estimate, replicates, acceleration } = distribution;
  if (estimate === null || !isTelling(distribution)) return 1;
  const count = replicates.length;
  // Replicates equal to the hypothesis count for it, because an interval that ends there contains it.
  const isAbove = estimate > hypothesis;
  const speakForIt = replicates.filter((replicate) => (isAbove ? replicate <= hypothesis : replicate >= hypothesis));
  const tail = (speakForIt.length + 0.5) / (count + 1);
  const bias = biasOf(distribution, estimate);
  const deviation = normalQuantile(isAbove ? tail : 1 - tail) - bias;
  // The inverse of the correction above, limited to its range.
  const z = deviation / Math.max(1 + acceleration * deviation, 1e-9) - bias;
  const oneSided = studentCdf(z * narrowing(units), units - 1);
  return Math.min(1, Math.max(2 * Math.min(oneSided, 1 - oneSided), 1 / (count + 1)));
};
