import { bcaInterval } from "./bca";
import { bootstrap, type Resampling, sumDrawn } from "./bootstrap";
import { clusterSizes, clustersOf, limitClusters, sumByCluster } from "./clusters";
import { type Confusion, confusionByCluster, type Decision, groupsOf, sensitivity, specificity } from "./confusion";
import type { Figure } from "./interval";

/**
 * Estimates the share of items that people would pass, from the evaluator's pass rate, sensitivity and specificity (Rogan
 * and Gladen 1978): (rate + specificity − 1) / (sensitivity + specificity − 1), limited to 0…1. null if the evaluator is
 * no better than chance, or a class has no labels.
 */
export const correctRate = (rate: number, confusion: Confusion): number | null => {
  const found = sensitivity(confusion);
  const spared = specificity(confusion);
  if (found === null || spared === null || found + spared <= 1) return null;
  return Math.min(1, Math.max(0, (rate + spared - 1) / (found + spared - 1)));
};

/**
 * The corrected rate over all items of a run, some of which people have labelled. The interval resamples labels and run
 * together. null if there is no correction, or if the evaluator is no better than chance in more than one resample in 40.
 */
export const correctedRate = (items: readonly Decision[], resampling: Resampling = {}): Figure | null => {
  const clusters = clustersOf(groupsOf(items));
  const units = limitClusters(clusters);
  const confusionOf = confusionByCluster(items, units);
  const isPassed = items.map(({ decision }) => Number(decision));
  const passed = sumByCluster(isPassed, units);
  const sizes = clusterSizes(units);
  const compute = (drawn: Int32Array) =>
    [correctRate(sumDrawn(passed, drawn) / sumDrawn(sizes, drawn), confusionOf(drawn))] as const;
  const [distribution] = bootstrap(units.count, compute, resampling);

  // The interval is widened by the number of labels, not of results, because labels are scarce.
  const labelled = new Set(clusters.of.filter((_, i) => items[i]?.label !== null)).size;
  const interval = bcaInterval({ ...distribution, units: labelled }, clusters);
  return interval && { value: distribution.estimate, interval };
};
