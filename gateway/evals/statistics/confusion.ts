import { sumDrawn } from "./bootstrap";
import { type Clusters, type Groups, sumByCluster } from "./clusters";

/** Counts of decisions by label. Class 1 (true) is the positive class. */
export interface Confusion {
  truePositives: number;
  falsePositives: number;
  falseNegatives: number;
  trueNegatives: number;
}

/** An item's decision and label. */
export interface Decision {
  decision: boolean;
  /** null if not labelled. */
  label: boolean | null;
  /** Items in the same group are not independent; null for an independent item. */
  group: string | number | null;
}

export const groupsOf = (items: readonly Decision[]): Groups => items.map(({ group }) => group);

/** Counts labelled decisions by cluster, once. The returned function adds up the counts of the drawn clusters. */
export const confusionByCluster = (
  items: readonly Decision[],
  clusters: Clusters,
): ((drawn: Int32Array) => Confusion) => {
  const cell = (label: boolean, decision: boolean) =>
    sumByCluster(
      items.map((item) => Number(item.label === label && item.decision === decision)),
      clusters,
    );
  const truePositives = cell(true, true);
  const falsePositives = cell(false, true);
  const falseNegatives = cell(true, false);
  const trueNegatives = cell(false, false);
  return (drawn) => ({
    truePositives: sumDrawn(truePositives, drawn),
    falsePositives: sumDrawn(falsePositives, drawn),
    falseNegatives: sumDrawn(falseNegatives, drawn),
    trueNegatives: sumDrawn(trueNegatives, drawn),
  });
};

/** null if the denominator is 0. */
export const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

/** The proportion of positive items that are decided as positive (recall). null without positive items. */
export const sensitivity = ({ truePositives, falseNegatives }: Confusion): number | null =>
  ratio(truePositives, truePositives + falseNegatives);

/** The proportion of negative items that are decided as negative. null without negative items. */
export const specificity = ({ trueNegatives, falsePositives }: Confusion): number | null =>
  ratio(trueNegatives, trueNegatives + falsePositives);

/** The mean of sensitivity and specificity; 0.5 for constant decisions. null if a class has no labels. */
export const balancedAccuracy = (confusion: Confusion): number | null => {
  const found = sensitivity(confusion);
  const spared = specificity(confusion);
  return found === null || spared === null ? null : (found + spared) / 2;
};

/** The harmonic mean of precision and recall for class 1. null if no item has this label or decision. */
export const f1 = ({ truePositives, falsePositives, falseNegatives }: Confusion): number | null =>
  ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives);

/** The same counts, with class 0 as the positive class. */
export const exchangeClasses = (confusion: Confusion): Confusion => ({
  truePositives: confusion.trueNegatives,
  falsePositives: confusion.falseNegatives,
  falseNegatives: confusion.falsePositives,
  trueNegatives: confusion.truePositives,
});

/** Rows: label; columns: decision. */
export const toTable = (confusion: Confusion): number[][] => [
  [confusion.truePositives, confusion.falseNegatives],
  [confusion.falsePositives, confusion.trueNegatives],
];
