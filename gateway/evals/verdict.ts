import type { Criterion, FailureKind, Output, Score } from "./contract";
import { failureOf } from "./failure";

/** A score as far as its standing among others goes. */
type Decisive = Pick<Score, "metric" | "evaluator" | "criterion_hash" | "shadow" | "value">;

/** The best of each kind, in the order in which the kinds first came; of equally good ones the last. */
const bestOf = <S>(scores: readonly S[], kindOf: (score: S) => unknown[], rankOf: (score: S) => number): S[] => {
  const best = new Map<string, S>();
  for (const score of scores) {
    const kind = JSON.stringify(kindOf(score));
    const known = best.get(kind);
    if (known === undefined || rankOf(score) >= rankOf(known)) best.set(kind, score);
  }
  return [...best.values()];
};

/** A new error never takes the place of a value. */
const isValue = ({ value }: Decisive): number => Number(value !== null);

/**
 * Of one result's scores, oldest first, those that are not out of date: of each version of an evaluator by each criterion
 * the newest. One that stands alongside gives way to one that has a say.
 */
export const currentScores = <S extends Decisive>(scores: readonly S[]): S[] =>
  bestOf(
    scores,
    ({ evaluator, metric, criterion_hash }) => [evaluator, metric, criterion_hash],
    (score) => 2 * Number(!score.shadow) + isValue(score),
  );

/**
 * Of one result's scores, oldest first, those that decide its verdict: of each evaluator by each criterion the newest
 * with a say. Another version of an evaluator takes the place of the one before.
 */
export const decidingScores = <S extends Decisive>(scores: readonly S[]): S[] =>
  bestOf(
    scores.filter(({ shadow }) => !shadow),
    ({ evaluator, metric }) => [evaluator.split("@")[0], metric],
    isValue,
  );

/** What a result was asked by, each name once: as it was for the verdict, where it has a part in that. */
export const criteriaOfScores = (scores: readonly Score[]): Criterion[] => {
  const byName = new Map<string, Criterion>();
  for (const { metric, criterion } of [...decidingScores(scores), ...currentScores(scores)]) {
    if (!byName.has(metric)) byName.set(metric, criterion);
  }
  return [...byName.values()];
};

type Verdict = Decisive & Pick<Score, "criterion" | "passed">;

/** All criteria with a threshold passed; null while one of them has no verdict and none failed. */
const verdictOf = (deciding: readonly Verdict[]): boolean | null => {
  const counting = deciding.filter(({ criterion }) => criterion.threshold !== null);
  if (counting.some(({ passed }) => passed === false)) return false;
  if (counting.length === 0 || counting.some(({ passed }) => passed === null)) return null;
  return true;
};

/** What all scores of a result, oldest first, come to. An answer that is empty never passes, whoever judges it. */
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

/**
 * Mean of a result's deciding values by their criteria's weights, each brought to 0…1 with 1 the best. null where nothing
 * has a weight, or one that has could not be scored.
 */
export const overallOf = (scores: readonly (Decisive & Pick<Score, "criterion">)[]): number | null => {
  const weighty = decidingScores(scores).filter(({ criterion }) => criterion.weight > 0);
  const total = weighty.reduce((sum, { criterion }) => sum + criterion.weight, 0);
  if (total === 0 || weighty.some(({ value }) => value === null)) return null;
  const sum = weighty.reduce((all, { criterion, value }) => {
    const { min, max } = criterion.scale;
    const share = ((value ?? min) - min) / (max - min);
    return all + criterion.weight * (criterion.direction === "higher_is_better" ? share : 1 - share);
  }, 0);
  return sum / total;
};
