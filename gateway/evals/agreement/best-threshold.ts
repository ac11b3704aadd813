import { ascending } from "../statistics/ranks";

/**
 * The score from which on to decide for 1, so that the mean of sensitivity and specificity is as large as it can be
 * on these items; the lowest where several are equally good. It favours whoever is measured on the same items.
 */
export const bestThreshold = (labels: readonly boolean[], scores: readonly number[]): number => {
  const positives = labels.filter(Boolean).length;
  const negatives = labels.length - positives;
  const order = ascending(scores);
  let best = { threshold: scores[order[0] ?? 0] ?? 0, gain: 0 };
  // What moving the threshold up to each score gains over deciding for 1 always.
  let gain = 0;
  order.forEach((item, place) => {
    const score = scores[item] ?? 0;
    if (score !== scores[order[place - 1] ?? -1] && gain > best.gain) best = { threshold: score, gain };
    gain += labels[item] ? -1 / positives : 1 / negatives;
  });
  return best.threshold;
};
