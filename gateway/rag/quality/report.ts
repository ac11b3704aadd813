import { alignColumns, markdownTable } from "../../../lib/table";
import { reportAgreement } from "../../evals/agreement/report";
import type { Rate } from "../../evals/statistics-contract";
import type { LabelledQuery } from "./labelled-corpus";
import { meanShare, ndcgAt, recallAt, reciprocalRank } from "./metrics";
import { bestOutcome, thresholdCurve } from "./threshold";

/** A question with the passages that a search found. */
export interface SearchedQuery extends Pick<LabelledQuery, "id" | "kind" | "relevant"> {
  /** Ids of passages, best first, each once. */
  ranked: string[];
  /** The scores that `ranked` is sorted by. */
  scores: number[];
  /** The highest score of the threshold's kind; null if nothing was found. */
  best: number | null;
}

/** Rates over the answerable questions; null if there are none. Field names are those of `--json`. */
interface MethodReport {
  recall_at_1: Rate | null;
  recall_at_5: Rate | null;
  recall_at_10: Rate | null;
  mrr_at_10: Rate | null;
  ndcg_at_10: Rate | null;
}

interface FallbackReport {
  threshold: number;
  /** Whether the threshold was chosen on the same questions, so its figures are too optimistic. */
  is_fitted: boolean;
  false_refusals: Rate | null;
  /** Among off-corpus questions; null if there are none. */
  false_answers: Rate | null;
  /** Among unanswerable questions near a topic of the corpus; null if there are none. */
  false_answers_near: Rate | null;
  /** Over answerable and off-corpus questions; null if either kind is missing. */
  balanced_accuracy: Rate | null;
  auroc: Rate | null;
}

export interface CorpusReport {
  name: string;
  passages: number;
  answerable: number;
  off_corpus: number;
  unanswerable_near: number;
  methods: Record<string, MethodReport>;
  /** At the default threshold, then at the best threshold for these questions if some are unanswerable. */
  fallback: FallbackReport[];
}

export const reportMethod = (searched: readonly SearchedQuery[]): MethodReport => {
  const answerable = searched.filter(({ kind }) => kind === "answerable");
  const mean = (metric: typeof recallAt, k: number) =>
    meanShare(answerable.map(({ ranked, relevant }) => metric(ranked, new Set(relevant), k)));
  return {
    recall_at_1: mean(recallAt, 1),
    recall_at_5: mean(recallAt, 5),
    recall_at_10: mean(recallAt, 10),
    mrr_at_10: mean(reciprocalRank, 10),
    ndcg_at_10: mean(ndcgAt, 10),
  };
};

/** Score of a question for which nothing was found: lower than every other score. */
const NOT_FOUND = -1;

/** Measures the fallback at a threshold and, if both kinds of questions exist, at the best threshold for them. */
export const reportFallback = (searched: readonly SearchedQuery[], threshold: number): FallbackReport[] => {
  const bestOf = (kind: LabelledQuery["kind"]) => searched.filter((each) => each.kind === kind).map(({ best }) => best);
  const scores = { answerable: bestOf("answerable"), unanswerable: bestOf("off_corpus") };
  const near = bestOf("unanswerable_near");
  const rows = searched
    .filter(({ kind }) => kind !== "unanswerable_near")
    .map(({ id, kind, best }) => ({
      id,
      group: id,
      label: kind === "answerable" ? (1 as const) : (0 as const),
      score: best ?? NOT_FOUND,
    }));
  const hasBoth = scores.answerable.length > 0 && scores.unanswerable.length > 0;
  const answered = (some: readonly (number | null)[], at: number) =>
    meanShare(some.map((best) => Number(best !== null && best >= at)));
  const reportAt = (at: number, isFitted: boolean): FallbackReport => {
    const agreement = hasBoth ? reportAgreement(rows, at) : null;
    return {
      threshold: at,
      is_fitted: isFitted,
      false_refusals: meanShare(scores.answerable.map((best) => Number(best === null || best < at))),
      false_answers: answered(scores.unanswerable, at),
      false_answers_near: answered(near, at),
      balanced_accuracy: agreement?.balanced_accuracy ?? null,
      auroc: agreement?.auroc ?? null,
    };
  };
  const best = bestOutcome(thresholdCurve(scores));
  return [reportAt(threshold, false), ...(best ? [reportAt(best.threshold, true)] : [])];
};

/** `.912 .88–.94`: the value and its 95 % interval, or `-`. */
const toCell = (rate: Rate | null): string => {
  if (rate === null) return "-";
  const short = (value: number, digits: number) => value.toFixed(digits).replace(/^(-?)0/, "$1");
  const { value, interval } = rate;
  return `${short(value, 3)} ${interval ? `${short(interval.low, 2)}–${short(interval.high, 2)}` : "-"}`;
};

/** Formats the tables of one corpus: one row per method, then one row per threshold. */
export const formatReport = (report: CorpusReport, format: "text" | "markdown"): string => {
  const table = format === "markdown" ? markdownTable : alignColumns;
  const { name, passages, answerable, off_corpus, unanswerable_near, methods, fallback } = report;
  const ranking = [
    ["method", "recall@1", "recall@5", "recall@10", "MRR@10", "nDCG@10"],
    ...Object.entries(methods).map(([method, rates]) => [
      method,
      ...[rates.recall_at_1, rates.recall_at_5, rates.recall_at_10, rates.mrr_at_10, rates.ndcg_at_10].map(toCell),
    ]),
  ];
  const decisions = [
    ["threshold", "false refusals", "false answers", "near questions answered", "balanced acc.", "AUROC"],
    ...fallback.map((rates) => [
      `${rates.threshold}${rates.is_fitted ? "*" : ""}`,
      ...[
        rates.false_refusals,
        rates.false_answers,
        rates.false_answers_near,
        rates.balanced_accuracy,
        rates.auroc,
      ].map(toCell),
    ]),
  ];
  const counts = `${passages} passages; ${answerable} answerable questions, ${off_corpus} off-corpus, ${unanswerable_near} near a topic.`;
  const blocks = [
    [`${format === "markdown" ? "### " : ""}${name}`],
    [`${counts} 95 % intervals.`],
    table(ranking),
    table(decisions),
    ...(fallback.some(({ is_fitted }) => is_fitted)
      ? [["* Chosen on the same questions, so its figures are optimistic."]]
      : []),
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
};
