import { comparePairs } from "../../evals/statistics/paired";
import type { LabelledQuestion, MetricChange, QuestionMetrics, VersionComparison } from "./contract";

/** A question with relevant documents, measured in both versions. */
export interface MeasuredQuestion {
  position: number;
  question: LabelledQuestion["question"];
  a: QuestionMetrics;
  b: QuestionMetrics;
}

const METRICS = ["ndcg_at_k", "recall_at_k", "mrr"] as const;
const MAX_P = 0.05;

type Versions = Pick<VersionComparison, "a" | "b" | "k">;

/** Compares two versions on the same questions, of which there is at least one. */
export const compareMeasured = (
  versions: Versions,
  measured: readonly MeasuredQuestion[],
): Omit<VersionComparison, "left_out"> => {
  const metrics = METRICS.map((metric) => changeOf(metric, measured));
  const [ndcg] = metrics as [MetricChange];
  const verdict = ndcg.p >= MAX_P ? "not_shown" : ndcg.difference > 0 ? "better" : "worse";
  const questions = measured.map((each) => ({ ...each, difference: each.b.ndcg_at_k - each.a.ndcg_at_k }));
  return {
    ...versions,
    n: measured.length,
    verdict,
    summary: summaryOf(versions, verdict, ndcg, measured.length),
    metrics,
    questions: questions.toSorted((one, other) => Math.abs(other.difference) - Math.abs(one.difference)),
  };
};

const changeOf = (metric: keyof QuestionMetrics, measured: readonly MeasuredQuestion[]): MetricChange => {
  const compared = comparePairs(
    measured.map(({ a }) => a[metric]),
    measured.map(({ b }) => b[metric]),
    { range: [0, 1] },
  );
  if (!compared) throw new Error("There are no questions to compare.");
  const { a, b, difference, interval, test, p, rises: better, falls: worse, detectableDifference } = compared;
  return { metric, a, b, difference, interval, test, p, better, worse, detectable_difference: detectableDifference };
};

/** "Version 2 is better than version 1: nDCG@5 is 0.912, not 0.871, on 47 questions (95 % interval of the …)." */
const summaryOf = (
  { a, b, k }: Versions,
  verdict: VersionComparison["verdict"],
  { a: before, b: after, interval, detectable_difference: detectable }: MetricChange,
  n: number,
): string => {
  const on = `on ${n} ${n === 1 ? "question" : "questions"}`;
  const figures = `nDCG@${k} is ${after.toFixed(3)} with version ${b} and ${before.toFixed(3)} with version ${a} ${on}`;
  const range = interval && ` (95 % interval of the difference: ${signed(interval.low)} to ${signed(interval.high)})`;
  if (verdict !== "not_shown") return `Version ${b} is ${verdict} than version ${a}: ${figures}${range ?? ""}.`;
  const power = detectable && ` This many questions reliably show differences of ${detectable.toFixed(2)} or more.`;
  return `No difference shown: ${figures}${range ?? ""}.${power || " More questions may show one."}`;
};

/** "+0.041", "-0.012". */
const signed = (value: number): string => `${value < 0 ? "" : "+"}${value.toFixed(3)}`;
