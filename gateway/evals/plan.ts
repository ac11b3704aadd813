import { AppError } from "../../lib/errors";
import type { ChosenEvaluator } from "../evaluators/service";
import type { Criterion, Rubric } from "./contract";
import type { JudgedAnswer } from "./judge/prompts";
import { criteriaOf, isBuiltIn } from "./rubric";

/** An evaluator and what it decides of an answer. */
export interface PlannedEvaluator {
  evaluator: ChosenEvaluator;
  criteria: readonly Criterion[];
}

/** Why a criterion can't be scored for this answer; undefined when it can. */
export const obstacle = ({ name }: Criterion, { references, contexts }: JudgedAnswer): string | undefined => {
  if (name === "correctness" && references.length === 0) return "The sample has no references to compare with.";
  if ((name === "faithfulness" || name === "hallucination") && contexts.length === 0) {
    return "The sample has no contexts that could support the answer.";
  }
  return undefined;
};

/** Criteria that an evaluator can decide: the reference scorer the built-in ones, a judge all. */
const decidable = ({ kind }: ChosenEvaluator, criteria: readonly Criterion[]): Criterion[] =>
  kind === "judge" ? [...criteria] : criteria.filter(({ name }) => isBuiltIn(name));

/**
 * What each evaluator decides. A rubric that is given holds for all of them as it stands, and a criterion of it that
 * nobody decides is refused; without one, each decides its own criteria, as far as the sample has something to compare
 * with. Throws invalid_request.
 */
export const planScoring = (
  evaluators: readonly ChosenEvaluator[],
  rubric: Rubric | null | undefined,
  answer: JudgedAnswer,
): PlannedEvaluator[] => {
  if (evaluators.length === 0) {
    throw new AppError("invalid_request", "No evaluator is active. Name one: evaluators.", { param: "evaluators" });
  }
  if (rubric) return planByRubric(evaluators, criteriaOf(rubric));
  const plan = evaluators.map((evaluator) => ({
    evaluator,
    criteria: evaluator.criteria.filter((criterion) => obstacle(criterion, answer) === undefined),
  }));
  if (plan.every(({ criteria }) => criteria.length === 0)) {
    throw new AppError("invalid_request", "There is nothing to score by: give references, contexts or a rubric.", {
      param: "sample",
    });
  }
  return plan;
};

const planByRubric = (evaluators: readonly ChosenEvaluator[], criteria: readonly Criterion[]): PlannedEvaluator[] => {
  const plan = evaluators.map((evaluator) => ({ evaluator, criteria: decidable(evaluator, criteria) }));
  for (const [index, criterion] of criteria.entries()) {
    if (plan.some((planned) => planned.criteria.includes(criterion))) continue;
    const names = evaluators.map(({ reference }) => reference).join(", ");
    throw new AppError("invalid_request", `Nobody decides "${criterion.name}": ${names} can't. Name a judge.`, {
      param: `rubric.criteria.${index}`,
    });
  }
  return plan;
};
