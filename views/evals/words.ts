import type { Criterion, FailureKind, Run, Score } from "../../gateway/evals/contract";
import { passes } from "../../gateway/evals/rubric";
import type { Rate } from "../../gateway/evals/statistics-contract";

const DIGITS = 2;

/**
 * Formats a score with two decimals: "0.83". Never rounds a value across its criterion's threshold: 0.4996 becomes
 * "0.49" if 0.5 passes, so that the value and its verdict agree.
 */
export const valueText = (value: number, criterion?: Criterion): string => {
  const rounded = Number(value.toFixed(DIGITS));
  const crossesThreshold = criterion && passes(criterion, rounded) !== passes(criterion, value);
  const step = rounded > value ? -(10 ** -DIGITS) : 10 ** -DIGITS;
  // Adding 0 turns -0 into 0.
  return ((crossesThreshold ? rounded + step : rounded) + 0).toFixed(DIGITS);
};

/** "0 to 1, higher is better; 0.5 or more passes". */
export const scaleText = ({ direction, threshold, scale }: Criterion): string => {
  const isHigher = direction === "higher_is_better";
  const range = `${scale.min} to ${scale.max}, ${isHigher ? "higher" : "lower"} is better`;
  if (threshold === null) return `${range}; for information`;
  return `${range}; ${threshold} or ${isHigher ? "more" : "less"} passes`;
};

/** Verdict of one score: "Passed", "Not passed", or the reason for a missing verdict. */
export const verdictText = ({ state, passed }: Pick<Score, "state" | "passed">): string => {
  if (state === "error") return "Not scored";
  if (passed === null) return "For information";
  return passed ? "Passed" : "Not passed";
};

/** Verdict of a result from all scores that count towards it. */
export const outcomeText = (passed: boolean | null): string =>
  passed === null ? "No verdict" : passed ? "Passed" : "Not passed";

/** "reference@1", "reference@1 and judge@1", "a@1, b@1 and c@1". */
export const listText = (names: readonly string[]): string => LIST.format(names);
const LIST = new Intl.ListFormat("en-GB");

/** Class of `.state` for a verdict. */
export const verdictKind = (passed: boolean | null): "good" | "bad" | "off" =>
  passed === null ? "off" : passed ? "good" : "bad";

export const FAILURE_WORDS: Readonly<Record<FailureKind, string>> = {
  wrong: "the answer is wrong",
  unsupported: "the contexts do not support the answer",
  refused: "the model refused to answer",
  empty: "the answer is empty",
  truncated: "the answer was cut off",
  bad_format: "the answer has the wrong format",
  no_context: "no context was found",
  invalid_sample: "the sample can't be evaluated",
  timeout: "the model took too long",
  rate_limited: "a rate limit was reached",
  upstream_error: "the model failed",
  judge_error: "an evaluator failed",
};

export const capitalized = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);

/** "answer_length" as "Answer length". */
export const metricName = (metric: string): string => capitalized(metric.replaceAll("_", " "));

export const targetText = ({ pins: { target } }: Pick<Run, "pins">): string => {
  if (target.kind === "stored") return "given answer";
  return [target.model, target.prompt, target.kind === "rag" && "documents"].filter(Boolean).join(", ");
};

/** Some results are still missing, so the others are not a random part of the dataset: samples run in its order. */
export const isPartial = ({ progress: { done, total } }: Run): boolean => done < total;

/** The rate of the run's verdicts. Without an interval while results are missing. */
export const passRateOf = (run: Run): Rate | null => {
  if (!isPartial(run) && run.verdict?.pass_rate) return run.verdict.pass_rate;
  return run.passed === null ? null : { value: run.passed, interval: null };
};
