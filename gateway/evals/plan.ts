import { AppError } from "../../lib/errors";
import type { Criterion, Rubric } from "./contract";
import type { ChosenEvaluator } from "./evaluator";
import { criteriaOf } from "./rubric";
import type { ScoredAnswer } from "./scored-answer";

/** An evaluator and the criteria that it scores. */
export interface PlannedEvaluator {
  evaluator: ChosenEvaluator;
  criteria: readonly Criterion[];
}

/** Why this answer can't be scored on a criterion; undefined if it can. */
export const obstacle = ({ name }: Criterion, { references, contexts }: ScoredAnswer): string | undefined => {
  if (name === "correctness" && references.length === 0) return "The sample has no references to compare with.";
  if ((name === "faithfulness" || name === "hallucination") && contexts.length === 0) {
    return "The sample has no contexts that could support the answer.";
  }
  return undefined;
};

/** The criteria that an evaluator can score: all of them for a judge, those that it knows for any other. */
const decidable = (evaluator: ChosenEvaluator, criteria: readonly Criterion[]): Criterion[] =>
  evaluator.kind === "judge"
    ? [...criteria]
    : criteria.filter(({ name }) => evaluator.criteria.some((known) => known.name === name));

/**
 * The criteria that each evaluator scores. A rubric applies to all evaluators, and each of its criteria needs an
 * evaluator that can score it. Without a rubric, each evaluator scores its own criteria, if the sample has something to
 * compare with. Throws invalid_request.
 */
export const planScoring = (
  evaluators: readonly ChosenEvaluator[],
  rubric: Rubric | null | undefined,
  answer: ScoredAnswer,
): PlannedEvaluator[] => {
  if (evaluators.length === 0) {
    throw new AppError(
      "invalid_request",
      "No evaluator is active. Name one in `evaluators`, for example reference@1.",
      { param: "evaluators" },
    );
  }
  if (rubric) return planByRubric(evaluators, criteriaOf(rubric));
  const plan = withoutObstacles(
    evaluators.map((evaluator) => ({ evaluator, criteria: evaluator.criteria })),
    answer,
  );
  if (plan.every(({ criteria }) => criteria.length === 0)) {
    throw new AppError(
      "invalid_request",
      "The sample has nothing to compare the answer with. Add references, contexts or a rubric.",
      {
        param: "sample",
      },
    );
  }
  return plan;
};

/** The same plan without the criteria that this answer can't be scored on. */
export const withoutObstacles = (plan: readonly PlannedEvaluator[], answer: ScoredAnswer): PlannedEvaluator[] =>
  plan.map(({ evaluator, criteria }) => ({
    evaluator,
    criteria: criteria.filter((criterion) => obstacle(criterion, answer) === undefined),
  }));

const planByRubric = (evaluators: readonly ChosenEvaluator[], criteria: readonly Criterion[]): PlannedEvaluator[] => {
  const plan = evaluators.map((evaluator) => ({ evaluator, criteria: decidable(evaluator, criteria) }));
  for (const [index, criterion] of criteria.entries()) {
    if (plan.some((planned) => planned.criteria.includes(criterion))) continue;
    const names = evaluators.map(({ reference }) => reference).join(", ");
    throw new AppError("invalid_request", `${names} can't score "${criterion.name}". Add a judge to \`evaluators\`.`, {
      param: `rubric.criteria.${index}`,
    });
  }
  return plan;
};
