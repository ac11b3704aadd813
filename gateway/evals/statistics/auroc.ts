import { type Clusters, eachOnce, singletons } from "./clusters";

/**
 * Sorts items by score once. The returned function computes the exact area under the ROC curve for the items of the
 * drawn clusters: the probability that an item of class 1 has a higher score than one of class 0, with ties counted
 * half (Hanley and McNeil 1982). null if a class is missing.
 */
export const aurocByCluster = (
  labels: readonly boolean[],
  scores: readonly number[],
  clusters: Clusters,
): ((drawn: Int32Array) => number | null) => {
  // Indexed by the position in the order of scores.
  const order = ascending(scores);
  const isPositive = Uint8Array.from(order, (item) => Number(labels[item] ?? false));
  const isLastOfTie = Uint8Array.from(order, (item, place) => Number(scores[item] !== scores[order[place + 1] ?? -1]));
  const clusterAt = Int32Array.from(order, (item) => clusters.of[item] ?? 0);
  const timesDrawn = new Int32Array(clusters.count);

  return (drawn) => {
    timesDrawn.fill(0);
    for (let i = 0; i < drawn.length; i++) timesDrawn[drawn[i] ?? 0] = (timesDrawn[drawn[i] ?? 0] ?? 0) + 1;
    let positives = 0;
    let negatives = 0;
    let tiedPositives = 0;
    let tiedNegatives = 0;
    let pairsInOrder = 0;
    for (let place = 0; place < order.length; place++) {
      const weight = timesDrawn[clusterAt[place] ?? 0] ?? 0;
      if (isPositive[place] === 1) tiedPositives += weight;
      else tiedNegatives += weight;
      if (isLastOfTie[place] === 0) continue;
      pairsInOrder += tiedPositives * (negatives + tiedNegatives / 2);
      positives += tiedPositives;
      negatives += tiedNegatives;
      tiedPositives = 0;
      tiedNegatives = 0;
    }
    return positives > 0 && negatives > 0 ? pairsInOrder / (positives * negatives) : null;
  };
};

/** The area under the curve for independent items. */
export const auroc = (labels: readonly boolean[], scores: readonly number[]): number | null =>
  aurocByCluster(labels, scores, singletons(labels.length))(eachOnce(labels.length));

/**
 * The threshold with the highest balanced accuracy on these items, where 1 is decided at or above it. On a tie, the
 * lowest one. Figures for the same items at this threshold are optimistic.
 */
export const bestThreshold = (labels: readonly boolean[], scores: readonly number[]): number => {
  const positives = labels.filter(Boolean).length;
  const negatives = labels.length - positives;
  const order = ascending(scores);
  let best = { threshold: scores[order[0] ?? 0] ?? 0, gain: 0 };
  // The gain from moving the threshold up to each score, compared with always deciding 1.
  let gain = 0;
  order.forEach((item, place) => {
    const score = scores[item] ?? 0;
    if (score !== scores[order[place - 1] ?? -1] && gain > best.gain) best = { threshold: score, gain };
    gain += labels[item] ? -1 / positives : 1 / negatives;
  });
  return best.threshold;
};

/** Indexes of the values in ascending order. */
const ascending = (values: ArrayLike<number>): Int32Array =>
  Int32Array.from({ length: values.length }, (_, i) => i).sort((i, j) => (values[i] ?? 0) - (values[j] ?? 0));
