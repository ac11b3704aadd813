import type { FailureKind, Output } from "./contract";
import { abstains } from "./scorers/text/stance";

/** The parts of a verdict that decide the kind of failure. */
interface Verdict {
  metric: string;
  /** null: no threshold, or an error. */
  passed: boolean | null;
  isError: boolean;
}

/** How an answer begins that says that it won't or can't, in English. */
const REFUSAL =
  /^\W*(?:i['’]?m sorry|sorry\b|i apologi[sz]e|i (?:can(?:['’]?t|not)|am (?:not able|unable)|do(?:n['’]?t| not) (?:know|have))|i['’]?m (?:not able|unable)|as an ai\b|unfortunately,? i\b|there is no (?:information|answer)|the (?:context|text|passage)s? (?:do(?:es)?n['’]?t|do(?:es)? not))/i;

/** True if the text declines to answer. */
export const isRefusal = (text: string): boolean => REFUSAL.test(text) || abstains(text);

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
