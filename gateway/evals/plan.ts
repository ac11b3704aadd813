import { AppError } from "../../lib/errors";
import type { Criterion, Rubric } from "./contract";
import type { ChosenEvaluator } from "./evaluator";
import { CALL_CRITERIA, criteriaOf } from "./rubric";
import type { ScoredAnswer } from "./scored-answer";

/** An evaluator and the criteria that it scores. */
export interface PlannedEvaluator {
  evaluator: ChosenEvaluator;
  criteria: readonly Criterion[];
}

/** Why this answer can't be scored on a criterion; undefined if it can. */
export const obstacle = (
  { name }: Pick<Criterion, "name">,
  { references, contexts, calls }: ScoredAnswer,
): string | undefined => {
  if (name === "correctness" && references.length === 0) return "The sample has no references to compare with.";
  if ((name === "faithfulness" || name === "hallucination") && contexts.length === 0) {
    return "The sample has no contexts that could support the answer.";
  }
  if (isAboutCalls(name) && calls === undefined) return NO_CALLS;
  return undefined;
};

const NO_CALLS =
  "The sample has no expected_tool_calls, or its answer can't contain calls: only answers of chat targets can.";

const isAboutCalls = (name: string): boolean => CALL_CRITERIA.some((criterion) => criterion.name === name);

/**
 * The criteria that an evaluator can score. A judge scores any criterion about text; other evaluators only those they
 * know.
 */
const decidable = (evaluator: ChosenEvaluator, criteria: readonly Criterion[]): Criterion[] =>
  evaluator.kind === "judge"
    ? criteria.filter(({ name }) => !isAboutCalls(name))
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
    throw new AppError("invalid_request", answer.calls ? ONLY_CALLS : NOTHING_TO_COMPARE, { param: "sample" });
  }
  return plan;
};

/** The same plan without the criteria that this answer can't be scored on. */
export const withoutObstacles = (plan: readonly PlannedEvaluator[], answer: ScoredAnswer): PlannedEvaluator[] =>
  plan.map(({ evaluator, criteria }) => ({
    evaluator,
    criteria: criteria.filter((criterion) => obstacle(criterion, answer) === undefined),
  }));

const NOTHING_TO_COMPARE = "The sample has nothing to compare the answer with. Add references, contexts or a rubric.";
const ONLY_CALLS =
  "Name tool_call@1 in `evaluators`: the sample has only expected_tool_calls to compare the answer with.";

const planByRubric = (evaluators: readonly ChosenEvaluator[], criteria: readonly Criterion[]): PlannedEvaluator[] => {
  const plan = evaluators.map((evaluator) => ({ evaluator, criteria: decidable(evaluator, criteria) }));
  for (const [index, criterion] of criteria.entries()) {
    if (plan.some((planned) => planned.criteria.includes(criterion))) continue;
    const names = evaluators.map(({ reference }) => reference).join(", ");
    const missing = isAboutCalls(criterion.name) ? "tool_call@1" : "a judge";
    const message = `${names} can't score "${criterion.name}". Add ${missing} to \`evaluators\`.`;
    throw new AppError("invalid_request", message, { param: `rubric.criteria.${index}` });
  }
  return plan;
};
