import { sumDrawn } from "./bootstrap";
import { type Clusters, type Groups, sumByCluster } from "./clusters";

/** Decisions against labels, counted. Class 1, or true, is the positive one. */
export interface Confusion {
  truePositives: number;
  falsePositives: number;
  falseNegatives: number;
  trueNegatives: number;
}

/** An item that was decided on. */
export interface Decision {
  decision: boolean;
  /** null: not labelled. */
  label: boolean | null;
  /** Items that share a group depend on each other; null: this one depends on none. */
  group: string | null;
}

export const groupsOf = (items: readonly Decision[]): Groups => items.map(({ group }) => group);

/** Counts labelled decisions by cluster once; the result adds up the counts of drawn clusters. */
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

/** null where nothing stands below the line. */
export const ratio = (part: number, whole: number): number | null => (whole > 0 ? part / whole : null);

/** Share of the positive that are found, also called recall. null: none are positive. */
export const sensitivity = ({ truePositives, falseNegatives }: Confusion): number | null =>
  ratio(truePositives, truePositives + falseNegatives);

/** Share of the negative that are found. null: none are negative. */
export const specificity = ({ trueNegatives, falsePositives }: Confusion): number | null =>
  ratio(trueNegatives, trueNegatives + falsePositives);

/** Mean of sensitivity and specificity; 0.5 for a system that always says the same. null: one class has no labels. */
export const balancedAccuracy = (confusion: Confusion): number | null => {
  const found = sensitivity(confusion);
  const spared = specificity(confusion);
  return found === null || spared === null ? null : (found + spared) / 2;
};

/** Harmonic mean of precision and recall of class 1. null: the class is neither there nor decided for. */
export const f1 = ({ truePositives, falsePositives, falseNegatives }: Confusion): number | null =>
  ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives);

/** The same counts with class 0 as the positive one. */
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
