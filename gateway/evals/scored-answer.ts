import type { AppError } from "../../lib/errors";
import type { Claim } from "./contract";

/** What an evaluator sees of an answer. */
export interface ScoredAnswer {
  question: string | null;
  references: readonly string[];
  contexts: readonly string[];
  output: string;
}

/** An evaluator's value for one criterion, before the threshold is applied. */
export interface ScoredCriterion {
  metric: string;
  /** On the criterion's scale; null with an `error`. */
  value: number | null;
  /** One or two sentences. */
  reason: string | null;
  claims: Claim[];
  /** Readable votes of a judge that was asked several times. */
  votes: number[];
  /** The model that was asked, or null. */
  by: { model: string; modelRevision: string } | null;
  error: AppError | null;
}
