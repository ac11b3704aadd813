import type { AppError } from "../../lib/errors";
import type { NewSample } from "../datasets/contract";
import type { Claim } from "./contract";
import { questionOf } from "./target";

/** The parts of an answer that evaluators see. */
export interface ScoredAnswer {
  question: string | null;
  references: readonly string[];
  contexts: readonly string[];
  output: string;
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

/** The parts of a sample that evaluators see, with the output to score. */
export const answerOf = (
  { input, references, contexts }: Pick<NewSample, "input" | "references" | "contexts">,
  output: string,
): ScoredAnswer => ({
  question: questionOf(input),
  references: references ?? [],
  contexts: contexts ?? [],
  output,
});
