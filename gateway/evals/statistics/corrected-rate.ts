import { bcaInterval } from "./bca";
import { bootstrap, type Resampling, sumDrawn } from "./bootstrap";
import { clusterSizes, clustersOf, heapUp, sumByCluster } from "./clusters";
import { type Confusion, confusionByCluster, type Decision, groupsOf, sensitivity, specificity } from "./confusion";
import type { Figure } from "./interval";

/**
 * The share of items that people would pass, from the share that an evaluator passed and how often it finds what
 * people pass and what they fail (Rogan and Gladen 1978): (rate + specificity − 1) / (sensitivity + specificity − 1),
 * kept within 0 and 1. null: the evaluator does no better than chance, or a class has no labels.
 */
export const correctRate = (rate: number, confusion: Confusion): number | null => {
  const found = sensitivity(confusion);
  const spared = specificity(confusion);
  if (found === null || spared === null || found + spared <= 1) return null;
  return Math.min(1, Math.max(0, (rate + spared - 1) / (found + spared - 1)));
};

/**
 * The corrected rate over all items of a run, some of which people have labelled. The interval resamples labels and
 * run together. null: no correction, or too uncertain an evaluator: more than one resample in 40 finds it no better
 * than chance.
 */
export const correctedRate = (items: readonly Decision[], resampling: Resampling = {}): Figure | null => {
  const clusters = clustersOf(groupsOf(items));
  const units = heapUp(clusters);
  const confusionOf = confusionByCluster(items, units);
  const isPassed = items.map(({ decision }) => Number(decision));
  const passed = sumByCluster(isPassed, units);
  const sizes = clusterSizes(units);
  const compute = (drawn: Int32Array) =>
    [correctRate(sumDrawn(passed, drawn) / sumDrawn(sizes, drawn), confusionOf(drawn))] as const;
  const [distribution] = bootstrap(units.count, compute, resampling);

  // The labels are what is scarce: the interval is widened for their number, not for that of the run.
  const labelled = new Set(clusters.of.filter((_, i) => items[i]?.label !== null)).size;
  const interval = bcaInterval({ ...distribution, units: labelled }, clusters);
  return interval && { value: distribution.estimate, interval };
};
