import { textOfInput } from "../../datasets/content";
import { answerText } from "../../evals/answer-text";
import type { Output, RunPins } from "../../evals/contract";
import { decidingScores, inRunOrder } from "../../evals/verdict";
import type { ScoredRow } from "./exported-rows";
import type { JunitCase } from "./junit";

/** Maximum length of each text of a test case. CI systems keep these files, and show only the beginning. */
const MAX_TEXT = 2000;

/** A result as a test case, whose failure type is the failure kind. A result without a verdict never passes. */
export const toCase = ({ row, scores }: ScoredRow, pins: RunPins): JunitCase => {
  const { sampleKey, repeat, latencyMs } = row;
  return {
    name: pins.repeats > 1 ? `${sampleKey}, repeat ${repeat + 1}` : sampleKey,
    classname: pins.dataset?.name ?? "results",
    seconds: latencyMs === null ? null : latencyMs / 1000,
    outcome: outcomeOf({ row, scores }, pins),
  };
};

const outcomeOf = ({ row, scores }: ScoredRow, pins: RunPins): JunitCase["outcome"] => {
  const { state, passed, failure, error, sample } = row;
  if (passed === true) return { kind: "passed" };
  if (passed === null && failure === null) {
    const isEnded = state === "done" || state === "error";
    return {
      kind: "skipped",
      message: isEnded ? "No verdict: no criterion has a threshold." : `Not ended: ${state}.`,
    };
  }
  const output = row.output as Output | null;
  const deciding = inRunOrder(decidingScores(scores), pins);
  const reasons = deciding.map(
    ({ metric, evaluator, value, reason, error: why }) =>
      `${metric} by ${evaluator}: ${value ?? "not scored"}. ${reason ?? why?.message ?? ""}`,
  );
  const texts = [
    ["Input", textOfInput(sample.input as Parameters<typeof textOfInput>[0])],
    ["References", sample.references.join("\n")],
    ["Output", answerText(output)],
    ["Scores", reasons.join("\n")],
  ];
  return {
    kind: passed === false ? "failure" : "error",
    type: failure ?? "wrong",
    message: shorten(String(error?.message ?? reasons[0] ?? "No evaluator scored this result."), 500),
    text: texts.map(([name, text = ""]) => `${name}:\n${shorten(text, MAX_TEXT)}`).join("\n\n"),
  };
};

const shorten = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, max)}… (${text.length - max} more characters)`;
