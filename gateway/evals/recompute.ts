import { appendAudit } from "../../db/audit";
import type { Db, Tx } from "../../db/client";
import { insertScores, listResults, listScores, type NewScoreRow, type ResultRow, setOutcome } from "../../db/results";
import type { RunRow } from "../../db/runs";
import { AppError } from "../../lib/errors";
import type { Call } from "../call";
import { assertMayStore } from "../content-logging";
import { contentOf } from "../datasets/content";
import { hasRole } from "../principal";
import type { Output, RecomputeEval, Rubric, RunPins, Score } from "./contract";
import type { ChosenEvaluator, EvaluatorChoice } from "./evaluator";
import { type PlannedEvaluator, planScoring } from "./plan";
import { criterionHash } from "./rubric";
import { answerOf } from "./scored-answer";
import { type ScoringDeps, scoreAnswer } from "./scoring";
import { outcomeOf } from "./verdict";
import { toScore, toScoreRow } from "./wire";

/** Maximum number of results scored again in one request, because the caller waits. */
const MAX_RECOMPUTED = 100;

export interface RecomputeDeps extends ScoringDeps {
  db: Db;
  evaluators: EvaluatorChoice;
  now?: () => Date;
}

/**
 * Scores the stored outputs of a run again and returns how many scores were added. Each result is stored as soon as it
 * is scored. Throws not_found for an evaluator, invalid_request, insufficient_role.
 */
export const recomputeRun = async (
  deps: RecomputeDeps,
  call: Call,
  run: RunRow,
  { evaluators: names, rubric, shadow = rubric !== undefined }: RecomputeEval,
): Promise<number> => {
  const { db, evaluators, now = () => new Date() } = deps;
  assertMayStore(call.principal, "evaluations", "Use another key.");
  if (!shadow) assertMayDecide(call, run, rubric);
  const rows = await listResults(db, run.id, { limit: MAX_RECOMPUTED + 1 });
  if (rows.length > MAX_RECOMPUTED) {
    throw new AppError(
      "invalid_request",
      `This run has more than ${MAX_RECOMPUTED} results, the maximum for one request.`,
    );
  }
  const chosen = (await evaluators.choose(names)).map((evaluator) => ({ ...evaluator, shadow }));
  const asked = rubric ?? (run.pins as unknown as RunPins).rubric;
  // Logged before the first score, because scores are kept if the caller disconnects midway.
  const detail = { evaluators: names, shadow, rubric: rubric !== undefined };
  await db.write((tx) =>
    appendAudit(tx, { at: now(), actor: call.principal, action: "run.recompute", target: run.id, detail }),
  );
  let added = 0;
  for (const row of rows.filter(({ state }) => state === "done")) {
    const scores = await rescore(deps, call, { chosen, rubric: asked, shadow }, row);
    added += await db.write((tx) => addScores(tx, row, scores));
  }
  return added;
};

/** How to score outputs again: with these evaluators, which are all shadows or all count. */
export interface Rescoring {
  chosen: readonly ChosenEvaluator[];
  rubric: Rubric | null | undefined;
  shadow: boolean;
}

/** Scores a stored output on the criteria that have no value yet. Throws invalid_request if there is nothing to score. */
export const rescore = async (
  deps: ScoringDeps & Pick<RecomputeDeps, "db" | "now">,
  call: Call,
  { chosen, rubric, shadow }: Rescoring,
  row: ResultRow,
): Promise<NewScoreRow[]> => {
  const { db, now = () => new Date() } = deps;
  const answer = answerOf(contentOf(row.sample), outputOf(row));
  const known = (await listScores(db, [row.id])).map(toScore);
  const { missing, promoted } = sift(planScoring(chosen, rubric, answer), known, shadow);
  const scores = await scoreAnswer(deps, call, missing, answer);
  const scoredAt = now().toISOString();
  return [...promoted, ...scores.map((score) => ({ ...score, scored_at: scoredAt }))].map((score) =>
    toScoreRow(row.id, score),
  );
};

/**
 * Scores that count change the verdict, so only the run's author or an editor may add them, and only with the run's
 * rubric.
 */
export const assertMayDecide = (
  { principal }: Pick<Call, "principal">,
  run: RunRow,
  rubric: RecomputeEval["rubric"],
): void => {
  if (rubric !== undefined) {
    throw new AppError(
      "invalid_request",
      "Scores with a different rubric can't count for the verdict. Set `shadow` to true.",
      {
        param: "shadow",
      },
    );
  }
  if (run.createdBy === principal.keyId || hasRole(principal.role, "editor")) return;
  throw new AppError(
    "insufficient_role",
    "Changing the verdict of another key's run requires the editor role. To compare only, set `shadow` to true.",
    {
      param: "shadow",
    },
  );
};

/**
 * The criteria that still need a score, and the shadow scores that count for the verdict from now on. Scoring a
 * criterion again with the same version would give the same value.
 */
const sift = (plan: readonly PlannedEvaluator[], known: readonly Score[], shadow: boolean) => {
  const values = new Map<string, Score>();
  for (const score of known) {
    if (score.value === null) continue;
    const key = `${score.evaluator} ${score.criterion_hash}`;
    // A score that counts is also good enough for a comparison.
    if (values.get(key)?.shadow !== false) values.set(key, score);
  }
  const promoted: Score[] = [];
  const missing = plan.map(({ evaluator, criteria }) => ({
    evaluator,
    criteria: criteria.filter((criterion) => {
      const value = values.get(`${evaluator.reference} ${criterionHash(criterion)}`);
      if (value?.shadow && !shadow) promoted.push({ ...value, shadow });
      return value === undefined;
    }),
  }));
  return { missing, promoted };
};

const outputOf = ({ output }: ResultRow): Output => output as unknown as Output;

/** Adds scores to a result and updates its verdict. Returns how many were added. */
export const addScores = async (tx: Tx, row: ResultRow, rows: readonly NewScoreRow[]): Promise<number> => {
  const added = await insertScores(tx, rows);
  const scores = await listScores(tx, [row.id]);
  await setOutcome(tx, row.id, outcomeOf(outputOf(row), scores.map(toScore), contentOf(row.sample)));
  return added;
};
