import { sumDrawn } from "./bootstrap";
import { type Clusters, sumByCluster } from "./clusters";
import { ratio } from "./confusion";

/** The characters from `start` up to and excluding `end`. */
export interface Span {
  start: number;
  end: number;
}

export const overlaps = (a: Span, b: Span): boolean => a.start < b.end && b.start < a.end;

/** Character counts for one or several texts. */
interface SpanCounts {
  /** Marked by annotators. */
  expected: number;
  predicted: number;
  /** Marked by annotators and predicted. */
  shared: number;
}

interface SpanScores {
  /** The fraction of predicted characters that annotators marked; null without predictions. */
  precision: number | null;
  /** The fraction of characters marked by annotators that were predicted; null if they marked none. */
  recall: number | null;
  /** null if both are null. */
  f1: number | null;
}

/** Merges spans, in ascending order and without overlap. Empty spans are dropped. */
const merge = (spans: readonly Span[]): Span[] => {
  const merged: Span[] = [];
  for (const { start, end } of spans.toSorted((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last && start <= last.end) last.end = Math.max(last.end, end);
    else if (end > start) merged.push({ start, end });
  }
  return merged;
};

const lengthOf = (spans: readonly Span[]): number => spans.reduce((sum, { start, end }) => sum + end - start, 0);

const sharedLength = (a: readonly Span[], b: readonly Span[]): number => {
  let shared = 0;
  for (let i = 0, j = 0; ; ) {
    const [left, right] = [a[i], b[j]];
    if (!left || !right) return shared;
    shared += Math.max(0, Math.min(left.end, right.end) - Math.max(left.start, right.start));
    if (left.end < right.end) i++;
    else j++;
  }
};

/** Counts the characters of one text. Spans may overlap and be in any order; each character counts once. */
export const countSpans = (expected: readonly Span[], predicted: readonly Span[]): SpanCounts => {
  const [marked, found] = [merge(expected), merge(predicted)];
  return { expected: lengthOf(marked), predicted: lengthOf(found), shared: sharedLength(marked, found) };
};

/** Adds up counts by cluster, once. The returned function adds up the counts of the drawn clusters of texts. */
export const spansByCluster = (
  counts: readonly SpanCounts[],
  clusters: Clusters,
): ((drawn: Int32Array) => SpanCounts) => {
  const sumOf = (field: keyof SpanCounts) =>
    sumByCluster(
      Float64Array.from(counts, (count) => count[field]),
      clusters,
    );
  const [expected, predicted, shared] = [sumOf("expected"), sumOf("predicted"), sumOf("shared")];
  return (drawn) => ({
    expected: sumDrawn(expected, drawn),
    predicted: sumDrawn(predicted, drawn),
    shared: sumDrawn(shared, drawn),
  });
};

/** Precision, recall and F1 by character. Counts of many texts are added first, so that long texts weigh more. */
export const spanScores = ({ expected, predicted, shared }: SpanCounts): SpanScores => ({
  precision: ratio(shared, predicted),
  recall: ratio(shared, expected),
  f1: ratio(2 * shared, expected + predicted),
});
