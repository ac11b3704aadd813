import { canonicalHash } from "../../../lib/canonical-json";
import { sampleRow } from "../../datasets/content";
import type { NewSample } from "../../datasets/contract";
import type { Output, Score } from "../../evals/contract";
import { criterionHash, passes } from "../../evals/rubric";
import { answerOf, type ScoredAnswer, type ScoredCriterion } from "../../evals/scored-answer";
import type { WithoutModel } from "../../evals/scoring";
import { outcomeOf } from "../../evals/verdict";
import { isEqual } from "./compare";
import type { BundleResult } from "./contract";
import type { CheckedResult } from "./figures";

/** Scores an answer with an evaluator that needs no model. */
export type Rescore = (answer: ScoredAnswer, kind: WithoutModel) => Promise<Pick<ScoredCriterion, Compared>[]>;
type Compared = "metric" | "value" | "reason" | "claims";

/** How the scores of an evaluator version are checked: by scoring again, or not at all, because a model gave them. */
export interface KnownEvaluator {
  kind: WithoutModel | "judge";
  hash: string;
}

export interface ResultCheck {
  checked: CheckedResult;
  /** What is wrong, as sentences. */
  problems: string[];
  /** The evaluators of the scores that were recomputed, and of those that weren't, once per score. */
  recomputed: string[];
  taken: string[];
}

/** Checks one result: its hash, its sample, every score that needs no model, and its verdict. */
export const checkResult = async (
  sample: NewSample,
  result: BundleResult,
  evaluators: ReadonlyMap<string, KnownEvaluator>,
  rescore: Rescore,
): Promise<ResultCheck> => {
  const problems: string[] = [];
  const { hash, ...content } = result;
  if (canonicalHash(content) !== hash) problems.push("its content does not match its hash");
  const { key, row } = sampleRow(sample);
  if (key !== result.sample_key || row.id !== result.sample_id) problems.push("its sample was changed");

  const output = result.output && { ...result.output, contexts: result.output.contexts ?? sample.contexts ?? [] };
  const counts = { recomputed: [] as string[], taken: [] as string[] };
  if (output)
    problems.push(...(await checkScores(answerOf(sample, output), result.scores, evaluators, rescore, counts)));
  const scores = result.scores.map((score) => ({ ...score, passed: verdictOf(score) }));
  for (const [n, score] of result.scores.entries()) {
    const { metric, evaluator, passed, criterion, criterion_hash: known } = score;
    const name = `${metric} by ${evaluator}`;
    if (criterionHash(criterion) !== known) problems.push(`the criterion of ${name} does not match its hash`);
    if (scores[n]?.passed !== passed) problems.push(changed(`the verdict of ${name}`, passed, scores[n]?.passed));
  }
  const outcome = outcomeFrom(sample, result, output, scores);
  for (const part of ["passed", "failure"] as const) {
    if (outcome[part] !== result[part]) problems.push(changed(`\`${part}\``, result[part], outcome[part]));
  }
  return { checked: { sample, result, output, scores, outcome }, problems, ...counts };
};

const verdictOf = ({ criterion, value }: Score): boolean | null => (value === null ? null : passes(criterion, value));

/** An error has no output to derive its failure kind from. */
const outcomeFrom = (sample: NewSample, result: BundleResult, output: Output | null, scores: readonly Score[]) =>
  output ? outcomeOf(output, scores, sample) : { passed: null, failure: result.failure, overall: null };

const checkScores = async (
  answer: ScoredAnswer,
  scores: readonly Score[],
  evaluators: ReadonlyMap<string, KnownEvaluator>,
  rescore: Rescore,
  counts: Pick<ResultCheck, "recomputed" | "taken">,
): Promise<string[]> => {
  const problems: string[] = [];
  for (const [evaluator, own] of Map.groupBy(scores, (score) => score.evaluator)) {
    const known = evaluators.get(evaluator);
    if (!known) {
      problems.push(`${evaluator} is not in run.json`);
      continue;
    }
    if (own.some((score) => score.evaluator_hash !== known.hash)) {
      problems.push(`its scores by ${evaluator} come from a different version`);
    }
    const { kind } = known;
    const values = own.filter(({ state }) => state === "scored");
    if (kind === "judge") {
      counts.taken.push(...own.map(() => evaluator));
      continue;
    }
    const found = values.length > 0 ? await rescore(answer, kind) : [];
    for (const { metric, value, reason, claims } of values) {
      counts.recomputed.push(evaluator);
      const fresh = found.find((each) => each.metric === metric);
      const name = `${metric} by ${evaluator}`;
      if (!isEqual(value, fresh?.value)) problems.push(changed(name, value, fresh?.value));
      else if (reason !== fresh?.reason) problems.push(changed(`the reason of ${name}`, reason, fresh?.reason));
      else if (!isEqual(claims, fresh.claims)) problems.push(`the claims of ${name} differ from the recomputed ones`);
    }
    // An error can't be reproduced: its cause may be gone.
    counts.taken.push(...own.flatMap(({ state }) => (state === "error" ? [evaluator] : [])));
  }
  return problems;
};

export const changed = (name: string, stored: unknown, computed: unknown): string =>
  `${name} is ${shown(stored)}, but the recomputed value is ${shown(computed)}`;

const MAX_SHOWN = 100;

const shown = (value: unknown): string => {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
};
