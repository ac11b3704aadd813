import type { Criterion, EvaluatorVerdict, FailureKind, Output, RunPins, Score } from "./contract";
import { BUILT_IN_CRITERIA } from "./rubric";
import { isRefusal } from "./scorers/text/refusal";

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
 * A result's current scores, given all of them oldest first: the newest from each evaluator version for each criterion.
 * A score that counts takes precedence over a shadow score.
 */
export const currentScores = <S extends Decisive>(scores: readonly S[]): S[] =>
  bestOf(
    scores,
    ({ evaluator, metric, criterion_hash }) => [evaluator, metric, criterion_hash],
    (score) => 2 * Number(!score.shadow) + isValue(score),
  );

/**
 * The scores that a result's verdict counts, given all of them oldest first: the newest from each evaluator for each
 * criterion, without shadow scores. A later score by another version of the same evaluator replaces the earlier one.
 */
export const decidingScores = <S extends Decisive>(scores: readonly S[]): S[] =>
  bestOf(
    scores.filter(({ shadow }) => !shadow),
    ({ evaluator, metric }) => [evaluator.split("@")[0], metric],
    isValue,
  );

/** The criteria used to score a result, one per name; the verdict's definition wins over a shadow's. */
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

/** Why a result did not pass: the most specific cause; null if it passed. Decided by rules; a label can correct it. */
export const failureOf = (
  { text, finish_reason: finishReason }: Pick<Output, "text" | "finish_reason">,
  verdicts: readonly Pick<Score, "metric" | "passed" | "value">[],
  passed: boolean | null,
): FailureKind | null => {
  if (passed === true) return null;
  if (text.trim() === "") return "empty";
  const failed = (metric: string) => verdicts.some((verdict) => verdict.metric === metric && verdict.passed === false);
  if (passed === false) {
    if (isRefusal(text)) return "refused";
    if (finishReason === "length") return "truncated";
    if (failed("faithfulness") || failed("hallucination")) return failed("correctness") ? "wrong" : "unsupported";
    return "wrong";
  }
  return verdicts.some(({ value }) => value === null) ? "judge_error" : null;
};

/** A result's verdict and kind of failure by all its scores, oldest first. An empty answer never passes. */
export const outcomeOf = (
  output: Pick<Output, "text" | "finish_reason">,
  scores: readonly Verdict[],
): { passed: boolean | null; failure: FailureKind | null } => {
  const deciding = decidingScores(scores);
  const passed = output.text.trim() === "" ? false : verdictOf(deciding);
  return { passed, failure: failureOf(output, deciding, passed) };
};

/** The parts of a run's pins that order its scores. */
export type RunOrder = Partial<Pick<RunPins, "rubric" | "evaluators">>;

/** Compares names by their place in `first`; the others come after those, in the order of `others`. */
const byPlace = (first: readonly string[], others: readonly string[]): ((a: string, b: string) => number) => {
  const names = [...new Set([...first, ...others])];
  return (a, b) => names.indexOf(a) - names.indexOf(b);
};

type ByEvaluator = Pick<Score, "evaluator">;

/** Compares items by the place of their evaluator in the run; the others come last, in the order of `items`. */
const byEvaluator = ({ evaluators = [] }: RunOrder, items: readonly ByEvaluator[]) => {
  const namesOf = (named: readonly ByEvaluator[]) => named.map(({ evaluator }) => evaluator);
  const compare = byPlace(namesOf(evaluators), namesOf(items));
  return (a: ByEvaluator, b: ByEvaluator): number => compare(a.evaluator, b.evaluator);
};

/**
 * Criteria in the rubric's order (without a rubric the built-in ones come first), and by each criterion the evaluators
 * in the run's order. Anything the run doesn't name, such as an evaluator of a recomputation, comes last.
 */
export const inRunOrder = <T extends Pick<Score, "metric" | "evaluator">>(
  items: readonly T[],
  order: RunOrder,
): T[] => {
  const criteria = order.rubric?.criteria ?? BUILT_IN_CRITERIA;
  const asked = criteria.map((each) => (typeof each === "string" ? each : each.name));
  const scored = items.map(({ metric }) => metric);
  const [compareMetrics, compareEvaluators] = [byPlace(asked, scored), byEvaluator(order, items)];
  return items.toSorted((a, b) => compareMetrics(a.metric, b.metric) || compareEvaluators(a, b));
};

/** Scores of one evaluator, and what they are for. */
export interface ScoresByEvaluator<S> {
  evaluator: string;
  role: EvaluatorVerdict["role"];
  /** One per criterion, in the rubric's order. */
  scores: S[];
}

/**
 * Groups one result's scores, given oldest first, by evaluator, in the run's order. For an evaluator that the verdict
 * counts, only the scores that count are kept; its other scores, such as those by another rubric, are dropped. In every
 * role, the newest definition of a criterion replaces earlier ones, because scores don't record their rubric, only the
 * definition of their own criterion.
 */
export const scoresByEvaluator = <S extends Decisive>(
  scores: readonly S[],
  order: RunOrder,
): ScoresByEvaluator<S>[] => {
  const deciding = new Set(decidingScores(scores));
  const all = currentScores(scores);
  const groups = Map.groupBy(all.toSorted(byEvaluator(order, all)), ({ evaluator }) => evaluator);
  return [...groups].map(([evaluator, current]): ScoresByEvaluator<S> => {
    const counted = current.filter((score) => deciding.has(score));
    const shadows = current.filter(({ shadow }) => shadow);
    const role = counted.length > 0 ? "verdict" : shadows.length > 0 ? "comparison" : "replaced";
    const own = { verdict: counted, comparison: shadows, replaced: current }[role];
    const newest = bestOf(own, ({ metric }) => [metric], isValue);
    return { evaluator, role, scores: inRunOrder(newest, order) };
  });
};

/**
 * Each evaluator's verdict on a result, in the run's order. `scores` are all of the result's scores, oldest first. A
 * verdict covers the newest value by each criterion, with the weight and scale it was scored by. After a recomputation
 * by a rubric that leaves a criterion out, the earlier value of that criterion still counts, in every role.
 */
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
