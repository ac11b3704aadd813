import type { Interval } from "../statistics-contract";
import type { Distribution } from "./bootstrap";
import type { Clusters } from "./clusters";
import { normalCdf, normalQuantile, studentCdf, studentQuantile } from "./distributions";
import { DEFAULT_LEVEL, tailOf } from "./interval";

/** With more resamples than this that leave a figure undefined, the others are no fair picture of how it varies. */
const MAX_UNDEFINED_SHARE = 0.025;

/** Share of replicates below `value`; equal ones count half, as in scipy. */
const shareBelow = ({ replicates }: Distribution, value: number): number => {
  let below = 0;
  let equal = 0;
  for (const replicate of replicates) {
    if (replicate < value) below++;
    else if (replicate === value) equal++;
  }
  return (below + equal / 2) / replicates.length;
};

/** Linear between neighbours (type 7 of Hyndman and Fan 1996), `p` from 0 to 1. */
const quantileOf = (sorted: Float64Array, p: number): number => {
  const position = p * (sorted.length - 1);
  const index = Math.floor(position);
  const below = sorted[index] ?? Number.NaN;
  const above = sorted[index + 1] ?? below;
  return below + (position - index) * (above - below);
};

/** Median bias of the replicates in standard deviations, kept finite where all lie on one side. */
const biasOf = (distribution: Distribution, estimate: number): number => {
  const least = 0.5 / distribution.replicates.length;
  return normalQuantile(Math.min(Math.max(shareBelow(distribution, estimate), least), 1 - least));
};

/**
 * The bias-corrected and accelerated quantile where a plain interval would take the normal quantile `z` (Efron and
 * Tibshirani 1993, "An introduction to the bootstrap", formula 14.10).
 */
export const bcaQuantile = (distribution: Distribution, estimate: number, z: number): number => {
  const bias = biasOf(distribution, estimate);
  const scale = 1 - distribution.acceleration * (bias + z);
  // So far out the correction has no answer: the outermost replicate is the honest one.
  const p = scale > 0 ? normalCdf(bias + (bias + z) / scale) : Number(z > 0);
  return quantileOf(distribution.replicates, p);
};

/** Resamples vary less than samples do, by this factor in standard deviations. */
const narrowing = (units: number): number => Math.sqrt((units - 1) / units);

const isTelling = ({ units, estimate, replicates, undefinedShare }: Distribution): boolean =>
  units >= 2 && estimate !== null && undefinedShare <= MAX_UNDEFINED_SHARE && replicates.at(0) !== replicates.at(-1);

/**
 * BCa interval, widened for few units by the t quantile and by what resampling loses (Hesterberg 2015, "What teachers
 * should know about the bootstrap"). `clusters` are the units. null: they don't vary, or leave the figure undefined
 * too often.
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
 * Two-sided p of "the figure is `hypothesis`": the level at which the interval above just reaches it, so that the two
 * never disagree. Never below 1 / (resamples + 1). 1: the units tell nothing.
 */
export const bcaPValue = (distribution: Distribution, hypothesis = 0): number => {
  const { units, estimate, replicates, acceleration } = distribution;
  if (estimate === null || !isTelling(distribution)) return 1;
  const count = replicates.length;
  // Replicates that equal the hypothesis speak for it: an interval that ends there holds it.
  const isAbove = estimate > hypothesis;
  const speakForIt = replicates.filter((replicate) => (isAbove ? replicate <= hypothesis : replicate >= hypothesis));
  const tail = (speakForIt.length + 0.5) / (count + 1);
  const bias = biasOf(distribution, estimate);
  const deviation = normalQuantile(isAbove ? tail : 1 - tail) - bias;
  // The inverse of the correction above; beyond its reach, as far out as there is.
  const z = deviation / Math.max(1 + acceleration * deviation, 1e-9) - bias;
  const oneSided = studentCdf(z * narrowing(units), units - 1);
  return Math.min(1, Math.max(2 * Math.min(oneSided, 1 - oneSided), 1 / (count + 1)));
};
