import { AppError } from "../../../lib/errors";
import { alignColumns, markdownTable } from "../../../lib/table";
import { aurocByCluster, bestThreshold } from "../statistics/auroc";
import { bcaRate, bootstrap, type Distribution, type Resampling } from "../statistics/bootstrap";
import { clustersOf, limitClusters } from "../statistics/clusters";
import { balancedAccuracy, confusionByCluster, exchangeClasses, f1, toTable } from "../statistics/confusion";
import { checkValues } from "../statistics/estimate";
import { cohenKappa } from "../statistics/rater-agreement";
import { countSpans, type Span, spanScores, spansByCluster } from "../statistics/spans";
import type { Rate } from "../statistics-contract";

/** An answer with its human label and its score. */
export interface ScoredRow {
  id: string;
  /** Rows in the same group are not independent. */
  group: string;
  label: 0 | 1;
  /** Higher means that label 1 is more likely. */
  score: number;
  /** The spans that annotators and the scorer marked as unsupported; omitted if either gave no spans. */
  spans?: { expected: readonly Span[]; predicted: readonly Span[] };
}

/** A scorer's agreement with people on one file, with the field names of `--json`. */
interface AgreementReport {
  n: number;
  groups: number;
  /** The fraction of rows with label 1. */
  base_rate: number;
  /** The scorer predicts label 1 at or above this score. */
  threshold: number;
  /** The threshold was chosen on the same rows, which favours the scorer in all figures except `auroc`. */
  threshold_is_fitted: boolean;
  auroc: Rate | null;
  balanced_accuracy: Rate | null;
  f1_of_one: Rate | null;
  f1_of_zero: Rate | null;
  kappa: Rate | null;
  /** Counted by character over all rows with spans; null if no row has spans. */
  spans: { precision: Rate | null; recall: Rate | null; f1: Rate | null } | null;
}

/**
 * Compares scores with human labels at a threshold, or at the best threshold for these rows. Intervals resample groups,
 * 2,000 times by default, without fitting the threshold again. Throws invalid_request without rows, and for a score
 * that is not finite.
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
  const decisions = rows.map(({ label, score, group }) => ({
    label: label === 1,
    decision: score >= decideFrom,
    group,
  }));

  const clusters = clustersOf(rows.map(({ group }) => group));
  const units = limitClusters(clusters);
  const aurocOf = aurocByCluster(labels, scores, units);
  const confusionOf = confusionByCluster(decisions, units);
  const counts = rows.map(({ spans }) => countSpans(spans?.expected ?? [], spans?.predicted ?? []));
  const spansOf = spansByCluster(counts, units);
  const compute = (drawn: Int32Array) => {
    const confusion = confusionOf(drawn);
    const { precision, recall, f1: f1OfSpans } = spanScores(spansOf(drawn));
    return [
      aurocOf(drawn),
      balancedAccuracy(confusion),
      f1(confusion),
      f1(exchangeClasses(confusion)),
      cohenKappa(toTable(confusion)),
      precision,
      recall,
      f1OfSpans,
    ] as const;
  };
  const [auroc, accuracy, ones, zeros, kappa, precision, recall, f1OfSpans] = bootstrap(
    units.count,
    compute,
    resampling,
  );
  const rate = (distribution: Distribution) => bcaRate(distribution, clusters);
  return {
    n: rows.length,
    groups: clusters.count,
    base_rate: labels.filter(Boolean).length / rows.length,
    threshold: decideFrom,
    threshold_is_fitted: threshold === "best",
    auroc: rate(auroc),
    balanced_accuracy: rate(accuracy),
    f1_of_one: rate(ones),
    f1_of_zero: rate(zeros),
    kappa: rate(kappa),
    spans: rows.some((row) => row.spans)
      ? { precision: rate(precision), recall: rate(recall), f1: rate(f1OfSpans) }
      : null,
  };
};

/** A row of the table: the evaluator or a simple scorer. */
export interface AgreementEntry {
  name: string;
  report: AgreementReport;
}

/** Maximum length of a scorer's name. With longer names, the table would be wider than 120 columns. */
const MAX_NAME_LENGTH = 18;
const shorten = (name: string): string =>
  name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH - 1)}…` : name;

/** Formats the bound of an interval without a leading 0: `.88` or `1.00`. */
const toBound = (bound: number): string => bound.toFixed(2).replace(/^(-?)0/, "$1");

/** Formats a value and its interval, `0.912 .88–.94`; `-` without a value. */
const toCell = (rate: Rate | null): string => {
  if (rate === null) return "-";
  const { value, interval } = rate;
  return `${value.toFixed(3)} ${interval ? `${toBound(interval.low)}–${toBound(interval.high)}` : "-"}`;
};

const decisionTable = (entries: readonly AgreementEntry[]): string[][] => [
  ["scorer", "threshold", "AUROC", "balanced acc.", "F1 of 1", "F1 of 0", "kappa"],
  ...entries.map(({ name, report }) => [
    shorten(name),
    `${Number(report.threshold.toPrecision(3))}${report.threshold_is_fitted ? "*" : ""}`,
    ...[report.auroc, report.balanced_accuracy, report.f1_of_one, report.f1_of_zero, report.kappa].map(toCell),
  ]),
];

/** The table of span figures. It consists of only the header if no scorer gives spans. */
const spanTable = (entries: readonly AgreementEntry[]): string[][] => [
  ["spans by character", "precision", "recall", "F1"],
  ...entries.flatMap(({ name, report: { spans } }) =>
    spans ? [[shorten(name), ...[spans.precision, spans.recall, spans.f1].map(toCell)]] : [],
  ),
];

/**
 * Compares several scorers with people on the same rows: a description of the rows, a table with a row per scorer, and
 * a legend, at most 120 columns wide. Values are followed by their 95 % interval.
 */
export const formatAgreement = (
  title: string,
  entries: readonly AgreementEntry[],
  format: "text" | "markdown",
): string => {
  const [first] = entries;
  if (!first) return "";
  const { n, groups, base_rate: baseRate } = first.report;
  const table = format === "markdown" ? markdownTable : alignColumns;
  const spans = spanTable(entries);
  const ones = `${Math.round(100 * baseRate)} % labelled 1`;
  const blocks = [
    [`${format === "markdown" ? "### " : ""}${title}`],
    [`${n} rows in ${groups} groups, ${ones}. 95 % intervals by bootstrap over groups.`],
    table(decisionTable(entries)),
    ...(spans.length > 1 ? [table(spans)] : []),
    ...(entries.some(({ report }) => report.threshold_is_fitted)
      ? [["* The threshold was chosen on the same rows, which favours that scorer in every figure except AUROC."]]
      : []),
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
};
