import type { Criterion, EvaluatorVerdict, FailureKind, Output, RunPins, Score } from "./contract";
import { failureOf } from "./failure";
import { BUILT_IN_CRITERIA } from "./rubric";

/** The parts of a score that decide whether the verdict counts it. */
type Decisive = Pick<Score, "metric" | "evaluator" | "criterion_hash" | "shadow" | "value">;

/** The highest-ranked score of each kind, kinds in order of first appearance; the last one wins a tie. */
const bestOf = <S>(scores: readonly S[], kindOf: (score: S) => unknown[], rankOf: (score: S) => number): S[] => {
  const best = new Map<string, S>();
  for (const score of scores) {
    const kind = JSON.stringify(kindOf(score));
    const known = best.get(kind);
    if (known === undefined || rankOf(score) >= rankOf(known)) best.set(kind, score);
  }
  return [...best.values()];
};

/** A value outranks an error, however new the error is. */
const isValue = ({ value }: Decisive): number => Number(value !== null);

/**
 * The current ones of a result's scores, which come oldest first: the newest of each evaluator version by each
 * criterion. A score that counts takes precedence over a shadow score.
 */
export const currentScores = <S extends Decisive>(scores: readonly S[]): S[] =>
  bestOf(
    scores,
    ({ evaluator, metric, criterion_hash }) => [evaluator, metric, criterion_hash],
    (score) => 2 * Number(!score.shadow) + isValue(score),
  );

/**
 * Those of a result's scores, which come oldest first, that its verdict counts: the newest of each evaluator by each
 * criterion, without shadow scores. A later score by another version of the same evaluator replaces the earlier one.
 */
export const decidingScores = <S extends Decisive>(scores: readonly S[]): S[] =>
  bestOf(
    scores.filter(({ shadow }) => !shadow),
    ({ evaluator, metric }) => [evaluator.split("@")[0], metric],
    isValue,
  );

/** The criteria that a result was scored by, one per name; the verdict's definition wins over a shadow's. */
export const criteriaOfScores = (scores: readonly Score[]): Criterion[] => {
  const byName = new Map<string, Criterion>();
  for (const { metric, criterion } of [...decidingScores(scores), ...currentScores(scores)]) {
    if (!byName.has(metric)) byName.set(metric, criterion);
  }
  return [...byName.values()];
};

type Verdict = Decisive & Pick<Score, "criterion" | "passed">;

/** True when every criterion with a threshold passed; null when one has no value and none failed. */
const verdictOf = (deciding: readonly Verdict[]): boolean | null => {
  const counting = deciding.filter(({ criterion }) => criterion.threshold !== null);
  if (counting.some(({ passed }) => passed === false)) return false;
  if (counting.length === 0 || counting.some(({ passed }) => passed === null)) return null;
  return true;
};

/** A result's verdict and kind of failure by all its scores, oldest first. An empty answer never passes. */
export const outcomeOf = (
  output: Pick<Output, "text" | "finish_reason">,
  scores: readonly Verdict[],
): { passed: boolean | null; failure: FailureKind | null } => {
  const deciding = decidingScores(scores);
  const passed = output.text.trim() === "" ? false : verdictOf(deciding);
  const verdicts = deciding.map((score) => ({
    metric: score.metric,
    passed: score.passed,
    isError: score.value === null,
  }));
  return { passed, failure: failureOf(output, verdicts, passed) };
};

/** The parts of a run's pins that order its scores. */
export type RunOrder = Partial<Pick<RunPins, "rubric" | "evaluators">>;

/**
 * Criteria in the rubric's order (without a rubric the built-in ones come first), and by each criterion the evaluators in
 * the run's order. Whatever the run does not name, such as an evaluator of a recomputation, comes last.
 */
export const inRunOrder = <T extends { metric: string; evaluator: string }>(
  items: readonly T[],
  { rubric, evaluators = [] }: RunOrder,
): T[] => {
  const asked = (rubric?.criteria ?? BUILT_IN_CRITERIA).map((each) => (typeof each === "string" ? each : each.name));
  const metrics = [...new Set([...asked, ...items.map(({ metric }) => metric)])];
  const names = [...new Set([...evaluators, ...items].map(({ evaluator }) => evaluator))];
  return items.toSorted(
    (a, b) =>
      metrics.indexOf(a.metric) - metrics.indexOf(b.metric) || names.indexOf(a.evaluator) - names.indexOf(b.evaluator),
  );
};

/** Scores of one evaluator, and what they are for. */
export interface ScoresByEvaluator<S> {
  evaluator: string;
  role: EvaluatorVerdict["role"];
  /** One per criterion, in the rubric's order. */
  scores: S[];
}

/**
 * Groups one result's scores, which come oldest first, by evaluator, in the run's order. For an evaluator that the
 * verdict counts, only the scores that count are kept; its others, such as scores by another rubric, are left out.
 */
export const scoresByEvaluator = <S extends Decisive>(
  scores: readonly S[],
  order: RunOrder,
): ScoresByEvaluator<S>[] => {
  const deciding = new Set(decidingScores(scores));
  const byEvaluator = Map.groupBy(currentScores(scores), ({ evaluator }) => evaluator);
  const groups = [...byEvaluator].map(([evaluator, current]): ScoresByEvaluator<S> & { metric: string } => {
    const counted = current.filter((score) => deciding.has(score));
    const shadows = current.filter(({ shadow }) => shadow);
    const role = counted.length > 0 ? "verdict" : shadows.length > 0 ? "comparison" : "replaced";
    const own = { verdict: counted, comparison: shadows, replaced: current }[role];
    // Two rubrics give two scores of one criterion: the newest value is used.
    const newest = bestOf(own, ({ metric }) => [metric], isValue);
    return { evaluator, role, scores: inRunOrder(newest, order), metric: "" };
  });
  return inRunOrder(groups, order).map(({ metric: _, ...group }) => group);
};

/** Each evaluator's verdict on a result, in the run's order. `scores` are all of the result's, oldest first. */
export const verdictsOf = (text: string, scores: readonly Verdict[], order: RunOrder): EvaluatorVerdict[] =>
  scoresByEvaluator(scores, order).map(({ evaluator, role, scores: own }) => ({
    evaluator,
    role,
    passed: text.trim() === "" ? false : verdictOf(own),
    overall: overallOf(own),
  }));

/**
 * Mean of one evaluator's values, weighted by criterion, each value scaled to 0…1 with 1 the best. null if no criterion
 * has a weight, or one that has a weight could not be scored.
 */
const overallOf = (scores: readonly Verdict[]): number | null => {
  const weighted = scores.filter(({ criterion }) => criterion.weight > 0);
  const total = weighted.reduce((sum, { criterion }) => sum + criterion.weight, 0);
  if (total === 0 || weighted.some(({ value }) => value === null)) return null;
  const sum = weighted.reduce((all, { criterion, value }) => {
    const { min, max } = criterion.scale;
    const share = ((value ?? min) - min) / (max - min);
    return all + criterion.weight * (criterion.direction === "higher_is_better" ? share : 1 - share);
  }, 0);
  return sum / total;
};
