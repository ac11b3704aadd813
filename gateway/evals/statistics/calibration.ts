import { bcaInterval } from "./bca";
import { bootstrap, eachOnce } from "./bootstrap";
import { clustersOf, limitClusters } from "./clusters";
import { confusionByCluster, type Decision, groupsOf, toTable } from "./confusion";
import { correctedRate } from "./corrected-rate";
import { estimateMean } from "./estimate";
import type { Figure } from "./interval";
import { cohenKappa, kappaInterval } from "./kappa";

/** How an evaluator agrees with people. */
export interface Calibration {
  labels: number;
  kappa: Figure;
  /** Share of the results people pass that the evaluator passes. */
  sensitivity: Figure;
  /** Share of the results people fail that the evaluator fails. */
  specificity: Figure;
  /** null if the evaluator is not better than chance. */
  correctedPassRate: Figure | null;
}

/** Minimum number of labels. */
const MIN_LABELS = 30;

/** From this many independent items on, kappa is nearly normal. With fewer, the large-sample interval is too narrow. */
const ASYMPTOTIC_FROM = 1000;

/** Kappa of labels and decisions, with a bootstrap interval, over groups if items share groups. */
export const agreementKappa = (labelled: readonly Decision[], seed?: number): Figure => {
  const clusters = clustersOf(groupsOf(labelled));
  const units = limitClusters(clusters);
  const confusionOf = confusionByCluster(labelled, units);
  if (!clusters.areShared && labelled.length >= ASYMPTOTIC_FROM) {
    const table = toTable(confusionOf(eachOnce(units.count)));
    return { value: cohenKappa(table), interval: kappaInterval(table) };
  }
  const [distribution] = bootstrap(units.count, (drawn) => [cohenKappa(toTable(confusionOf(drawn)))], { seed });
  return { value: distribution.estimate, interval: bcaInterval(distribution, clusters) };
};

/** Share of the items with this label that the evaluator decides correctly. */
const foundShare = (labelled: readonly Decision[], wanted: boolean, seed?: number): Figure => {
  const items = labelled.filter(({ label }) => label === wanted);
  const isFound = items.map(({ decision }) => Number(decision === wanted));
  const { value, interval } = estimateMean(isFound, { groups: groupsOf(items), range: [0, 1], seed });
  return { value, interval };
};

/**
 * Compares an evaluator's verdicts with people's labels. `results` are all results of a run; those without a label only
 * affect the corrected pass rate, which is valid if results were chosen for labelling independently of their verdicts.
 * null for fewer than 30 labels.
 */
export const calibrate = (results: readonly Decision[], seed?: number): Calibration | null => {
  const labelled = results.filter(({ label }) => label !== null);
  if (labelled.length < MIN_LABELS) return null;
  return {
    labels: labelled.length,
    kappa: agreementKappa(labelled, seed),
    sensitivity: foundShare(labelled, true, seed),
    specificity: foundShare(labelled, false, seed),
    correctedPassRate: correctedRate(results, { seed }),
  };
};
