import type { AppError } from "../../lib/errors";
import type { ToolCall } from "../chat/message";
import type { Tool } from "../chat/tools";
import type { NewSample } from "../datasets/contract";
import type { ExpectedCall } from "../datasets/sample-contract";
import type { Claim, Output, Target } from "./contract";
import { isRefusal } from "./scorers/text/refusal";
import { questionOf } from "./target";

/** The parts of an answer that evaluators see. */
export interface ScoredAnswer {
  question: string | null;
  references: readonly string[];
  contexts: readonly string[];
  output: string;
  /** Undefined if the sample doesn't say which calls it expects, or if the answer can't contain calls. */
  calls?: ComparedCalls;
}

/** The function calls that a sample expects, the calls that an answer makes, and the functions that it could call. */
interface ComparedCalls {
  expected: readonly ExpectedCall[];
  made: readonly ToolCall[];
  tools: readonly Tool[];
}

/** An evaluator's value for one criterion, before the threshold is applied. */
export interface ScoredCriterion {
  metric: string;
  /** A value on the criterion's scale; null if there is an `error`. */
  value: number | null;
  /** One or two sentences for people. */
  reason: string | null;
  claims: Claim[];
  /** The valid votes, if a judge was asked several times. */
  votes: number[];
  /** The model that was asked, or null. */
  by: { model: string; modelRevision: string } | null;
  error: AppError | null;
}

/** Evaluators score this instead of an index's fallback text, which can have any words. */
const ABSTENTION = "The documents don't answer this question.";

/** The parts of a sample that evaluators see, with the output to score and the contexts that it is based on. */
export const answerOf = (
  sample: Pick<NewSample, "input" | "references" | "expected_tool_calls" | "tools">,
  { text, tool_calls: made, contexts, status }: Pick<Output, "text" | "tool_calls" | "contexts" | "status">,
): ScoredAnswer => ({
  question: questionOf(sample.input),
  references: sample.references ?? [],
  contexts,
  output: status === "no_relevant_context" ? ABSTENTION : text,
  ...(sample.expected_tool_calls &&
    made && {
      calls: { expected: sample.expected_tool_calls, made, tools: sample.tools ?? [] },
    }),
});

/**
 * The parts of an answer that evaluators will see, before it is generated. An index finds its contexts later, if any.
 */
export const expectedAnswer = (sample: NewSample, { kind }: Pick<Target, "kind">): ScoredAnswer =>
  answerOf(sample, {
    text: "",
    contexts: kind === "rag" ? [""] : (sample.contexts ?? []),
    ...(kind === "chat" && { tool_calls: [] }),
  });

/** False for a sample without references, or with one that abstains, such as "unanswerable". */
export const expectsAnswer = ({ references = [] }: Pick<NewSample, "references">): boolean =>
  references.length > 0 && !references.some((reference) => isRefusal(reference));
