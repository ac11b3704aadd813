import type { FailureKind, Output } from "./contract";
import { isRefusal } from "./scorers/text/refusal";

/** The parts of a verdict that decide the kind of failure. */
interface Verdict {
  metric: string;
  /** null: no threshold, or an error. */
  passed: boolean | null;
  isError: boolean;
}

/**
 * Why a result did not pass: the most specific cause; null if it passed. Rules decide it; a label can correct it.
 */
export const failureOf = (
  { text, finish_reason: finishReason }: Pick<Output, "text" | "finish_reason">,
  verdicts: readonly Verdict[],
  passed: boolean | null,
): FailureKind | null => {
  if (passed === true) return null;
  if (text.trim() === "") return "empty";
  const failed = (metric: string) => verdicts.some((verdict) => verdict.metric === metric && verdict.passed === false);
  if (passed === false) {
    if (isRefusal(text)) return "refused";
    if (finishReason === "length") return "truncated";
    if (failed("faithfulness") || failed("hallucination")) return failed("correctness") ? "wrong" : "unsupported";
    return "wrong";
  }
  return verdicts.some(({ isError }) => isError) ? "judge_error" : null;
};
