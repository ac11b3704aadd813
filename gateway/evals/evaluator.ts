import type { Criterion, JudgeSettings } from "./contract";

/** Everything that is fixed when an evaluator version is released. */
export interface EvaluatorDefinition {
  name: string;
  version: number;
  kind: "reference" | "exact" | "tool_call" | "judge";
  description: string;
  criteria: readonly Criterion[];
  /** null: this evaluator uses no model. */
  judge: JudgeSettings | null;
}

/** A version chosen to score, with its hash and role. */
export interface ChosenEvaluator extends EvaluatorDefinition {
  /** `name@version` */
  reference: string;
  hash: string;
  shadow: boolean;
}

/**
 * The functions of the `evaluators` feature that a run needs. They are passed in, because that feature depends on this
 * one.
 */
export interface EvaluatorChoice {
  /** The named versions (`name@version`), or the active ones with their shadows. Throws not_found. */
  choose(references: readonly string[] | undefined, shadows?: readonly string[]): Promise<ChosenEvaluator[]>;
}

/** Judges with this model ask the default chat model. The run records which model that was. */
export const DEFAULT_JUDGE_MODEL = "default";
