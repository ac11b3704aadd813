import type { AppError } from "../../lib/errors";
import type { Claim } from "./contract";

/** What an evaluator found for one criterion, before a rubric decides whether that passes. */
export interface ScoredCriterion {
  metric: string;
  /** On the criterion's scale; null with an `error`. */
  value: number | null;
  /** One or two sentences for a person. */
  reason: string | null;
  claims: Claim[];
  /** Of a judge's readable answers, when there were several. */
  votes: number[];
  /** The model that was asked; null where none was. */
  by: { model: string; modelRevision: string } | null;
  error: AppError | null;
}
