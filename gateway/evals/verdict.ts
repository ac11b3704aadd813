import type { NewSample } from "../datasets/contract";
import type { Criterion, EvaluatorVerdict, FailureKind, Output, RunPins, Score } from "./contract";
import { NAMED_CRITERIA } from "./rubric";
import { expectsAnswer } from "./scored-answer";
import { isRefusal } from "./scorers/text/refusal";

/** The fields of a score that decide whether the verdict counts it. */
type Decisive = Pick<Score, "metric" | "evaluator" | "criterion_hash" | "shadow" | "value">;

/** The highest-ranked score of each kind, with kinds in order of first appearance. The last score wins a tie. */
const bestOf = <S>(scores: readonly S[], kindOf: (score: S) => unknown[], rankOf: (score: S) => number): S[] => {
  const best = new Map<string, S>();
  for (const score of scores) {
    const kind = JSON.stringify(kindOf(score));
    const known = best.get(kind);
    if (known === undefined || rankOf(score) >= rankOf(known)) best.set(kind, score);
  }
  return [...best.values()];
};

/** Ranks values above errors, however new the error is. */
const isValue = ({ value }: Decisive): number => Number(value !== null);

/**
 * A result's current scores, given all of them oldest first: the newest score by each evaluator version on each
 * criterion. A score that counts takes precedence over a shadow score.
 */
export const currentScores = <S extends Decisive>(scores: readonly S[]): S[] =>
  bestOf(
    scores,
    ({ evaluator, metric, criterion_hash }) => [evaluator, metric, criterion_hash],
    (score) => 2 * Number(!score.shadow) + isValue(score),
  );

/**
 * The scores that a result's verdict counts, given all of them oldest first: the newest score by each evaluator on each
 * criterion, without shadow scores. A later score by another version of the same evaluator replaces the earlier one.
 */
export const decidingScores = <S extends Decisive>(scores: readonly S[]): S[] =>
  bestOf(
    scores.filter(({ shadow }) => !shadow),
    ({ evaluator, metric }) => [evaluator.split("@")[0], metric],
    isValue,
  );

/** The criteria used to score a result, one per name. The verdict's definition takes precedence over a shadow's. */
export const criteriaOfScores = (scores: readonly Score[]): Criterion[] => {
  const byName = new Map<string, Criterion>();
  for (const { metric, criterion } of [...decidingScores(scores), ...currentScores(scores)]) {
    if (!byName.has(metric)) byName.set(metric, criterion);
  }
  return [...byName.values()];
};

type Verdict = Decisive & Pick<Score, "criterion" | "passed">;

/** True if every criterion with a threshold passed; null if one has no value and none failed. */
const verdictOf = (deciding: readonly Verdict[]): boolean | null => {
  const counting = deciding.filter(({ criterion }) => criterion.threshold !== null);
  if (counting.some(({ passed }) => passed === false)) return false;
  if (counting.length === 0 || counting.some(({ passed }) => passed === null)) return null;
  return true;
};

/** The fields of an output that decide the verdict. */
type DecidedOutput = Pick<Output, "text" | "tool_calls" | "finish_reason" | "status">;

const isEmpty = ({ text, tool_calls: calls = [] }: Pick<Output, "text" | "tool_calls">): boolean =>
  text.trim() === "" && calls.length === 0;

/** Why a result did not pass: the most specific cause; null if it passed. Rules decide this; a label can correct it. */
export const failureOf = (
  output: DecidedOutput,
  verdicts: readonly Pick<Score, "metric" | "passed" | "value">[],
  passed: boolean | null,
): FailureKind | null => {
  if (passed === true) return null;
  const { text, finish_reason: finishReason, status } = output;
  if (status === "no_relevant_context") return "no_context";
  if (isEmpty(output)) return "empty";
  const failed = (metric: string) => verdicts.some((verdict) => verdict.metric === metric && verdict.passed === false);
  if (passed === false) {
    if (isRefusal(text)) return "refused";
    if (finishReason === "length") return "truncated";
    if (failed("faithfulness") || failed("hallucination")) return failed("correctness") ? "wrong" : "unsupported";
    return "wrong";
  }
  return verdicts.some(({ value }) => value === null) ? "judge_error" : null;
};

interface Outcome {
  passed: boolean | null;
  failure: FailureKind | null;
  /** The lowest `overall` of the evaluators that decide the verdict, 0…1. */
  overall: number | null;
}

/**
 * A result's verdict and failure kind from all its scores, oldest first. An answer with neither text nor function calls
 * never passes. The fallback text of an index is right if the sample expects no answer, and wrong otherwise.
 */
export const outcomeOf = (
  output: DecidedOutput,
  scores: readonly Verdict[],
  sample: Pick<NewSample, "references">,
): Outcome => {
  const deciding = decidingScores(scores);
  const passed =
    output.status === "no_relevant_context" ? !expectsAnswer(sample) : isEmpty(output) ? false : verdictOf(deciding);
  const byEvaluator = [...Map.groupBy(deciding, ({ evaluator }) => evaluator).values()].map(overallOf);
  const known = byEvaluator.filter((overall) => overall !== null);
  const overall = known.length === 0 ? null : Math.min(...known);
  return { passed, failure: failureOf(output, deciding, passed), overall };
};

/** The parts of a run's pins that order its scores. */
export type RunOrder = Partial<Pick<RunPins, "rubric" | "evaluators">>;

/** Compares names by their place in `first`. Other names come after them, in the order of `others`. */
const byPlace = (first: readonly string[], others: readonly string[]): ((a: string, b: string) => number) => {
  const names = [...new Set([...first, ...others])];
  return (a, b) => names.indexOf(a) - names.indexOf(b);
};

type ByEvaluator = Pick<Score, "evaluator">;

/** Compares items by their evaluator's place in the run. Other evaluators come last, in the order of `items`. */
const byEvaluator = ({ evaluators = [] }: RunOrder, items: readonly ByEvaluator[]) => {
  const namesOf = (named: readonly ByEvaluator[]) => named.map(({ evaluator }) => evaluator);
  const compare = byPlace(namesOf(evaluators), namesOf(items));
  return (a: ByEvaluator, b: ByEvaluator): number => compare(a.evaluator, b.evaluator);
};

/**
 * Sorts criteria in the rubric's order (without a rubric, built-in ones first), and for each criterion the evaluators
 * in the run's order. Anything the run doesn't name, such as a recomputation's evaluator, comes last.
 */
export const inRunOrder = <T extends Pick<Score, "metric" | "evaluator">>(
  items: readonly T[],
  order: RunOrder,
): T[] => {
  const criteria = order.rubric?.criteria ?? NAMED_CRITERIA;
  const asked = criteria.map((each) => (typeof each === "string" ? each : each.name));
  const scored = items.map(({ metric }) => metric);
  const [compareMetrics, compareEvaluators] = [byPlace(asked, scored), byEvaluator(order, items)];
  return items.toSorted((a, b) => compareMetrics(a.metric, b.metric) || compareEvaluators(a, b));
};

/** One evaluator's scores, and what they are used for. */
export interface ScoresByEvaluator<S> {
  evaluator: string;
  role: EvaluatorVerdict["role"];
  /** One per criterion, in the rubric's order. */
  scores: S[];
}

/**
 * Groups one result's scores, given oldest first, by evaluator, in the run's order. For an evaluator that the verdict
 * counts, only the scores that count are kept; its other scores, such as those with another rubric, are dropped. In
 * every role, the newest definition of a criterion replaces earlier ones: scores don't record their rubric, only their
 * own criterion's definition.
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
 * verdict uses the newest value on each criterion, with the weight and scale it was scored with. After a recomputation
 * with a rubric that omits a criterion, the earlier value on that criterion still counts, in every role.
 */
export const verdictsOf = (
  output: Pick<Output, "text" | "tool_calls">,
  scores: readonly Verdict[],
  order: RunOrder,
): EvaluatorVerdict[] =>
  scoresByEvaluator(scores, order).map(({ evaluator, role, scores: own }) => ({
    evaluator,
    role,
    passed: isEmpty(output) ? false : verdictOf(own),
    overall: overallOf(own),
  }));

/**
 * The weighted mean of one evaluator's values, each scaled to 0…1 where 1 is best. null if no criterion has a weight,
 * or a weighted criterion could not be scored.
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
