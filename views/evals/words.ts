import type { Criterion, FailureKind, Run, Score } from "../../gateway/evals/contract";
import { passes } from "../../gateway/evals/rubric";

const FEWEST_DIGITS = 3;
const MOST_DIGITS = 12;

/**
 * "0.833", and "0.4996" in place of "0.5": thresholds have two digits at most behind the point, so that a rounded value
 * with three or more that count never looks as if it were one, or were on its other side.
 */
export const valueText = (value: number): string => {
  // What arithmetic leaves behind is no part of the value.
  const exact = Number(value.toPrecision(MOST_DIGITS));
  for (let digits = FEWEST_DIGITS; digits < MOST_DIGITS; digits++) {
    const text = exact.toFixed(digits);
    if (Number(text) === exact) return String(exact);
    if (!text.endsWith("0")) return text;
  }
  return String(exact);
};

/** "higher is better, 0.5 passes". */
export const scaleText = ({ direction, threshold, scale }: Criterion): string => {
  const isHigher = direction === "higher_is_better";
  const range = `${scale.min} to ${scale.max}, ${isHigher ? "higher" : "lower"} is better`;
  if (threshold === null) return `${range}; reported only`;
  return `${range}; ${threshold} or ${isHigher ? "more" : "less"} passes`;
};

/** "4, passes", or the value alone where nothing passes or fails by the criterion. */
export const labelText = (criterion: Criterion, value: number): string => {
  const passed = passes(criterion, value);
  return passed === null ? valueText(value) : `${valueText(value)}, ${passed ? "passes" : "does not pass"}`;
};

/** "Passed", "Not passed", or why there is no verdict. */
export const verdictText = ({ state, passed }: Pick<Score, "state" | "passed">): string => {
  if (state === "error") return "Not scored";
  if (passed === null) return "No verdict";
  return passed ? "Passed" : "Not passed";
};

/** Class of `.state` for a verdict. */
export const verdictKind = (passed: boolean | null): "good" | "bad" | "off" =>
  passed === null ? "off" : passed ? "good" : "bad";

/** What went wrong, in a few words. */
export const FAILURE_WORDS: Readonly<Record<FailureKind, string>> = {
  wrong: "the answer is wrong",
  unsupported: "the contexts do not support it",
  refused: "the model refused",
  empty: "the answer is empty",
  truncated: "the answer was cut off",
  bad_format: "the format is not the one asked for",
  no_context: "no context was found",
  timeout: "it took too long",
  rate_limited: "a limit was reached",
  upstream_error: "the model failed",
  judge_error: "an evaluator failed",
};

/** The built-in criteria by the names that people read. */
export const metricName = (metric: string): string => {
  const words = metric.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

/** Where the outputs of a run come from. */
export const targetText = ({ pins: { target } }: Pick<Run, "pins">): string => {
  if (target.kind === "stored") return "answer given";
  return [target.model, target.prompt].filter(Boolean).join(", ");
};
