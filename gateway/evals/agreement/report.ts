import { AppError } from "../../../lib/errors";
import { aurocByCluster, bestThreshold } from "../statistics/auroc";
import { bcaInterval } from "../statistics/bca";
import { bootstrap, type Distribution, type Resampling } from "../statistics/bootstrap";
import { type Clusters, clustersOf, limitClusters } from "../statistics/clusters";
import { balancedAccuracy, confusionByCluster, exchangeClasses, f1, toTable } from "../statistics/confusion";
import { checkValues } from "../statistics/estimate";
import type { Figure } from "../statistics/interval";
import { cohenKappa } from "../statistics/kappa";
import { countSpans, type Span, spanScores, spansByCluster } from "../statistics/spans";

/** An answer with its label by people and its score. */
export interface ScoredRow {
  id: string;
  /** Rows that share it depend on each other. */
  group: string;
  label: 0 | 1;
  /** Higher: more likely 1. */
  score: number;
  /** Spans of the answer that people and the scorer marked as unsupported; left out if either gives no spans. */
  spans?: { expected: readonly Span[]; predicted: readonly Span[] };
}

/** Agreement of a scorer with people on rows of one kind. */
export interface AgreementReport {
  n: number;
  groups: number;
  /** Share of rows with label 1. */
  baseRate: number;
  /** The scorer predicts label 1 from this score. */
  threshold: number;
  /** The threshold is the best for the same rows, which favours the scorer in all figures except `auroc`. */
  isThresholdFitted: boolean;
  auroc: Figure;
  balancedAccuracy: Figure;
  f1OfOne: Figure;
  f1OfZero: Figure;
  kappa: Figure;
  /** By character, over all rows with spans; null if no row has spans. */
  spans: { precision: Figure; recall: Figure; f1: Figure } | null;
}

/** AUROC, balanced accuracy, F1 of both classes, kappa. */
const decisionFigures = (rows: readonly ScoredRow[], threshold: number, units: Clusters) => {
  const labels = rows.map(({ label }) => label === 1);
  const decisions = rows.map(({ label, score, group }) => ({
    label: label === 1,
    decision: score >= threshold,
    group,
  }));
  const auroc = aurocByCluster(
    labels,
    rows.map(({ score }) => score),
    units,
  );
  const confusionOf = confusionByCluster(decisions, units);
  return (drawn: Int32Array) => {
    const confusion = confusionOf(drawn);
    return [
      auroc(drawn),
      balancedAccuracy(confusion),
      f1(confusion),
      f1(exchangeClasses(confusion)),
      cohenKappa(toTable(confusion)),
    ] as const;
  };
};

/** Precision, recall and F1 of the spans. */
const spanFigures = (rows: readonly ScoredRow[], units: Clusters) => {
  const counts = rows.map(({ spans }) => countSpans(spans?.expected ?? [], spans?.predicted ?? []));
  const countsOf = spansByCluster(counts, units);
  return (drawn: Int32Array) => {
    const { precision, recall, f1: harmonic } = spanScores(countsOf(drawn));
    return [precision, recall, harmonic] as const;
  };
};

/**
 * Compares scores with people's labels at a threshold, or at the best one for these rows. Intervals resample groups,
 * 2,000 times by default, without fitting the threshold again. Throws invalid_request without rows, and for a score that
 * is not finite.
 */
export const reportAgreement = (
  rows: readonly ScoredRow[],
  threshold: number | "best",
  resampling: Resampling = {},
): AgreementReport => {
  if (rows.length === 0) throw new AppError("invalid_request", "There are no rows to compare. Give at least one.");
  const scores = rows.map(({ score }) => score);
  checkValues(scores);
  const labels = rows.map(({ label }) => label === 1);
  const decideFrom = threshold === "best" ? bestThreshold(labels, scores) : threshold;

  const clusters = clustersOf(rows.map(({ group }) => group));
  const units = limitClusters(clusters);
  const toFigure = (distribution: Distribution): Figure => ({
    value: distribution.estimate,
    interval: bcaInterval(distribution, clusters),
  });
  const decided = bootstrap(units.count, decisionFigures(rows, decideFrom, units), resampling);
  const spans = rows.some((row) => row.spans) ? bootstrap(units.count, spanFigures(rows, units), resampling) : null;
  return {
    n: rows.length,
    groups: clusters.count,
    baseRate: labels.filter(Boolean).length / rows.length,
    threshold: decideFrom,
    isThresholdFitted: threshold === "best",
    auroc: toFigure(decided[0]),
    balancedAccuracy: toFigure(decided[1]),
    f1OfOne: toFigure(decided[2]),
    f1OfZero: toFigure(decided[3]),
    kappa: toFigure(decided[4]),
    spans: spans && { precision: toFigure(spans[0]), recall: toFigure(spans[1]), f1: toFigure(spans[2]) },
  };
};
