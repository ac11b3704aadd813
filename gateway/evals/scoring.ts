import { AppError, toAppError, toEnvelope } from "../../lib/errors";
import type { Log } from "../../lib/log";
import type { Call } from "../call";
import type { ChatCompletionRequest } from "../chat/contract";
import type { ChatService } from "../chat/service";
import type { Criterion, Score } from "./contract";
import { type ChosenEvaluator, DEFAULT_JUDGE_MODEL } from "./evaluator";
import { type AskJudge, type ClaimSpan, judgeAnswer } from "./judge/judge";
import { obstacle, type PlannedEvaluator } from "./plan";
import { criterionHash, passes } from "./rubric";
import type { ScoredAnswer, ScoredCriterion } from "./scored-answer";

/** The kinds of evaluators that use no language model. */
export type WithoutModel = Exclude<ChosenEvaluator["kind"], "judge">;

/** Scores answers without a language model, off the main thread because that may take long. */
export interface ReferenceScorer {
  /** Scores the answer on every criterion of the evaluator that it has data for. */
  score(call: Pick<Call, "signal">, answer: ScoredAnswer, kind: WithoutModel): Promise<ScoredCriterion[]>;
  /** The claims of an output, in order. */
  claimsOf(output: string): Promise<ClaimSpan[]>;
}

export interface ScoringDeps {
  log: Pick<Log, "error">;
  chat: Pick<ChatService, "answer">;
  reference: ReferenceScorer;
}

/** A score before it is stored. */
export type NewScore = Omit<Score, "scored_at">;

/**
 * Scores every criterion with every evaluator of the plan. A failure becomes an error in that score and doesn't affect
 * the others. Only throws when the caller disconnects or its deadline passes.
 */
export const scoreAnswer = async (
  deps: ScoringDeps,
  call: Call,
  plan: readonly PlannedEvaluator[],
  answer: ScoredAnswer,
  onEvaluator?: (reference: string, index: number) => void,
): Promise<NewScore[]> => {
  const scores: NewScore[] = [];
  for (const [index, { evaluator, criteria }] of plan.entries()) {
    onEvaluator?.(evaluator.reference, index + 1);
    const possible = criteria.filter((criterion) => obstacle(criterion, answer) === undefined);
    const found = await evaluate(deps, call, evaluator, possible, answer);
    for (const criterion of criteria) {
      const why = obstacle(criterion, answer);
      const scored = why
        ? failed(criterion, new AppError("invalid_request", why))
        : (found.find(({ metric }) => metric === criterion.name) ??
          failed(criterion, new AppError("internal", NO_SCORE)));
      scores.push(toNewScore(scored, criterion, evaluator, call.requestId));
    }
  }
  return scores;
};

const NO_SCORE = "The evaluator gave no score for this criterion.";

const failed = ({ name }: Criterion, error: AppError): ScoredCriterion => ({
  metric: name,
  value: null,
  reason: null,
  claims: [],
  votes: [],
  by: null,
  error,
});

const evaluate = async (
  deps: ScoringDeps,
  call: Call,
  evaluator: ChosenEvaluator,
  criteria: readonly Criterion[],
  answer: ScoredAnswer,
): Promise<ScoredCriterion[]> => {
  if (criteria.length === 0) return [];
  try {
    if (evaluator.judge === null) {
      return await deps.reference.score(call, answer, evaluator.kind as WithoutModel);
    }
    const claims = await deps.reference.claimsOf(answer.output);
    return await judgeAnswer({ ask: asking(deps, call), settings: evaluator.judge }, answer, claims, criteria);
  } catch (thrown) {
    const error = toAppError(thrown);
    // A judge's timeout is an error in its score, as long as the caller still waits.
    if (error.kind === "client_closed" || call.signal.aborted) throw thrown;
    const { reference } = evaluator;
    if (error.kind === "internal") deps.log.error({ err: thrown, evaluator: reference }, "an evaluator failed");
    return criteria.map((criterion) => failed(criterion, error));
  }
};

/** Judges ask through the chat service, so the limits, cache and metrics of every request apply to them. */
const asking =
  ({ chat }: ScoringDeps, call: Call): AskJudge =>
  async ({ model, messages, schema, maxTokens, temperature, seed }) => {
    const body: ChatCompletionRequest = {
      ...(model !== DEFAULT_JUDGE_MODEL && { model }),
      messages,
      max_tokens: maxTokens,
      temperature,
      seed,
      response_format: { type: "json_schema", json_schema: { name: "verdict", schema, strict: true } },
    };
    const answer = await chat.answer(call, body);
    return { text: answer.message.content, model: answer.model, modelRevision: answer.model_revision };
  };

const toNewScore = (
  { metric, value, reason, claims, votes, by, error }: ScoredCriterion,
  criterion: Criterion,
  { reference, hash, shadow, judge }: ChosenEvaluator,
  requestId: string,
): NewScore => ({
  metric,
  evaluator: reference,
  evaluator_hash: hash,
  criterion,
  criterion_hash: criterionHash(criterion),
  state: value === null ? "error" : "scored",
  value,
  passed: value === null ? null : passes(criterion, value),
  reason,
  claims,
  votes,
  shadow,
  judge: by &&
    judge && {
      model: by.model,
      model_revision: by.modelRevision,
      temperature: judge.temperature,
      seed: judge.seed,
    },
  embedder: null,
  error: error && toEnvelope(error, requestId).error,
});
