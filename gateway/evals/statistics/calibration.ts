import type { Agreement, Rate } from "../statistics-contract";
import { bcaRate, bootstrap, sumDrawn } from "./bootstrap";
import { clusterSizes, clustersOf, eachOnce, limitClusters, sumByCluster } from "./clusters";
import {
  type Confusion,
  confusionByCluster,
  type Decision,
  groupsOf,
  sensitivity,
  specificity,
  toTable,
} from "./confusion";
import { estimateMean } from "./estimate";
import { cohenKappa, kappaInterval } from "./rater-agreement";

/**
 * Estimates the proportion of items that people would pass, from the evaluator's pass rate, sensitivity and specificity
 * (Rogan and Gladen 1978): (rate + specificity − 1) / (sensitivity + specificity − 1), limited to 0…1. null if the
 * evaluator is no better than chance, or a class has no labels.
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
export const correctedRate = (items: readonly Decision[], seed?: number): Rate | null => {
  const clusters = clustersOf(groupsOf(items));
  const units = limitClusters(clusters);
  const confusionOf = confusionByCluster(items, units);
  const isPassed = items.map(({ decision }) => Number(decision));
  const passed = sumByCluster(isPassed, units);
  const sizes = clusterSizes(units);
  const compute = (drawn: Int32Array) =>
    [correctRate(sumDrawn(passed, drawn) / sumDrawn(sizes, drawn), confusionOf(drawn))] as const;
  const [distribution] = bootstrap(units.count, compute, { seed });

  // The number of labels, not of results, widens the interval, because labels are scarce.
  const labelled = new Set(clusters.of.filter((_, i) => items[i]?.label !== null)).size;
  const corrected = bcaRate({ ...distribution, units: labelled }, clusters);
  return corrected?.interval ? corrected : null;
};

/** Minimum number of labels for a comparison. */
export const MIN_LABELS = 30;

/**
 * With at least this many independent items, kappa is nearly normal. With fewer items, the large-sample interval is too
 * narrow.
 */
const ASYMPTOTIC_FROM = 1000;

/** Kappa of labels and decisions with a bootstrap interval. If items share groups, groups are resampled. */
export const agreementKappa = (labelled: readonly Decision[], seed?: number): Rate | null => {
  const clusters = clustersOf(groupsOf(labelled));
  const units = limitClusters(clusters);
  const confusionOf = confusionByCluster(labelled, units);
  if (!clusters.areShared && labelled.length >= ASYMPTOTIC_FROM) {
    const table = toTable(confusionOf(eachOnce(units.count)));
    const value = cohenKappa(table);
    return value === null ? null : { value, interval: kappaInterval(table) };
  }
  const [distribution] = bootstrap(units.count, (drawn) => [cohenKappa(toTable(confusionOf(drawn)))], { seed });
  return bcaRate(distribution, clusters);
};

/** The proportion of items with this label that the evaluator decides correctly. */
const foundShare = (labelled: readonly Decision[], wanted: boolean, seed?: number): Rate | null => {
  const items = labelled.filter(({ label }) => label === wanted);
  const isFound = items.map(({ decision }) => Number(decision === wanted));
  const { value, interval } = estimateMean(isFound, { groups: groupsOf(items), range: [0, 1], seed });
  return value === null ? null : { value, interval };
};

/**
 * Compares an evaluator's verdicts with people's labels. `results` are all results of a run; those without a label only
 * affect the corrected pass rate, which is valid if results were chosen for labelling independently of their verdicts.
 * null for fewer than 30 labels.
 */
export const calibrate = (results: readonly Decision[], seed?: number): Agreement | null => {
  const labelled = results.filter(({ label }) => label !== null);
  if (labelled.length < MIN_LABELS) return null;
  return {
    labels: labelled.length,
    kappa: agreementKappa(labelled, seed),
    sensitivity: foundShare(labelled, true, seed),
    specificity: foundShare(labelled, false, seed),
    corrected_pass_rate: correctedRate(results, seed),
  };
};
