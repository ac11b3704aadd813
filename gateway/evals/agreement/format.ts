import { alignColumns, markdownTable } from "../../../lib/table";
import type { Figure } from "../statistics/interval";
import type { Span } from "../statistics/spans";
import { toCodePoints } from "./labelled-file";
import type { AgreementReport } from "./report";

/** One line of the table. */
export interface AgreementEntry {
  /** Of the evaluator or the simple scorer. */
  name: string;
  report: AgreementReport;
}

type TableFormat = "text" | "markdown";

/** Longer ones would make a table wider than 120 columns. */
const LONGEST_NAME = 18;
const shorten = (name: string): string => (name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name);

/** `.88`, and `1.00`: the digit before the point is nearly always 0. */
const toBound = (bound: number): string => bound.toFixed(2).replace(/^(-?)0/, "$1");

/** `0.912 .88–.94`: the value and its interval, or `-` without a value. */
const toCell = ({ value, interval }: Figure): string => {
  if (value === null) return "-";
  return `${value.toFixed(3)} ${interval ? `${toBound(interval.low)}–${toBound(interval.high)}` : "-"}`;
};

const decisionTable = (entries: readonly AgreementEntry[]): string[][] => [
  ["scorer", "threshold", "AUROC", "balanced acc.", "F1 of 1", "F1 of 0", "kappa"],
  ...entries.map(({ name, report }) => [
    shorten(name),
    `${Number(report.threshold.toPrecision(3))}${report.isThresholdFitted ? "*" : ""}`,
    ...[report.auroc, report.balancedAccuracy, report.f1OfOne, report.f1OfZero, report.kappa].map(toCell),
  ]),
];

/** Only the header if no scorer gives spans. */
const spanTable = (entries: readonly AgreementEntry[]): string[][] => [
  ["spans by character", "precision", "recall", "F1"],
  ...entries.flatMap(({ name, report: { spans } }) =>
    spans ? [[shorten(name), ...[spans.precision, spans.recall, spans.f1].map(toCell)]] : [],
  ),
];

/**
 * The agreement of several scorers with people on the same rows, at most 120 columns wide: a description of the rows, a
 * line for each scorer, and a legend. Values are followed by their 95 % interval.
 */
export const formatAgreement = (title: string, entries: readonly AgreementEntry[], format: TableFormat): string => {
  const [first] = entries;
  if (!first) return "";
  const { n, groups, baseRate } = first.report;
  const table = format === "markdown" ? markdownTable : alignColumns;
  const spans = spanTable(entries);
  const ones = `${Math.round(100 * baseRate)} % labelled 1`;
  const blocks = [
    [`${format === "markdown" ? "### " : ""}${title}`],
    [`${n} rows in ${groups} groups, ${ones}. 95 % intervals by bootstrap over groups.`],
    table(decisionTable(entries)),
    ...(spans.length > 1 ? [table(spans)] : []),
    ...(entries.some(({ report }) => report.isThresholdFitted)
      ? [["* The best threshold for the same rows, which favours that scorer in every figure except AUROC."]]
      : []),
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
};

/** A report as JSON for scripts, with the field names of the API. */
export const reportToWire = ({
  isThresholdFitted,
  baseRate,
  balancedAccuracy,
  f1OfOne,
  f1OfZero,
  ...same
}: AgreementReport) => ({
  ...same,
  base_rate: baseRate,
  threshold_is_fitted: isThresholdFitted,
  balanced_accuracy: balancedAccuracy,
  f1_of_one: f1OfOne,
  f1_of_zero: f1OfZero,
});

/** A scorer's result for one row. */
export interface Prediction {
  id: string;
  answer: string;
  score: number;
  decision: boolean;
  /** UTF-16 offsets; left out if the scorer gives no spans. */
  spans?: readonly Span[];
}

/** A line of a prediction file: `id`, `score`, `label`, and `spans` as pairs of code point offsets. */
export const predictionLine = ({ id, answer, score, decision, spans }: Prediction): string => {
  const pairs = spans?.map((span) => toCodePoints(answer, span)).map(({ start, end }) => [start, end]);
  return `${JSON.stringify({ id, score, label: Number(decision), spans: pairs })}\n`;
};
