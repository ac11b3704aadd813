import type { ResultTask } from "../../db/batch-evals";
import type { NewScoreRow } from "../../db/results";
import type { Call } from "../../gateway/call";
import { contentOf, toNewSample } from "../../gateway/datasets/content";
import type { FailureKind, Output, Rubric } from "../../gateway/evals/contract";
import type { ChosenEvaluator } from "../../gateway/evals/evaluator";
import { planScoring, withoutObstacles } from "../../gateway/evals/plan";
import { answerOf, expectedAnswer } from "../../gateway/evals/scored-answer";
import { type ReferenceScorer, type ScoringDeps, scoreAnswer } from "../../gateway/evals/scoring";
import { makeOutput, type RagTarget, type ResolvedTarget } from "../../gateway/evals/target";
import { outcomeOf } from "../../gateway/evals/verdict";
import { toScoreRow } from "../../gateway/evals/wire";
import { AppError, type ErrorKind, toAppError, toEnvelope } from "../../lib/errors";
import type { Log } from "../../lib/log";
import { RunStopped } from "./stops";

/** A sample's outcome, to be stored with the run's counts. */
export interface Outcome {
  task: ResultTask;
  state: "done" | "error";
  output: Output | null;
  passed: boolean | null;
  failure: FailureKind | null;
  overall: number | null;
  error: Record<string, unknown> | null;
  attempts: number;
  scores: NewScoreRow[];
  endedAt: Date;
}

/** How a run generates and scores outputs. */
export interface SampleRecipe {
  target: ResolvedTarget;
  evaluators: readonly ChosenEvaluator[];
  rubric: Rubric | null;
  seed: number;
  log: Pick<Log, "error">;
  reference: ReferenceScorer;
  /** Calls of the target, and of the judges. `onAttempt` counts attempts. */
  chatFor(onAttempt: () => void): { target: ScoringDeps["chat"]; rag: RagTarget; judges: ScoringDeps["chat"] };
  now(): Date;
}

/**
 * Generates and scores the output of one sample. A failure becomes an error in the outcome. `onOutput` is called when the
 * output exists, before it is scored. Throws RunStopped and the reasons of the call's signal and of `waits`.
 */
export const runSample = async (
  recipe: SampleRecipe,
  call: Call,
  task: ResultTask,
  { waits, onOutput }: { waits: AbortSignal; onOutput(): void },
): Promise<Outcome> => {
  const { target, evaluators, rubric, seed, log, reference, now } = recipe;
  let attempts = task.attempts;
  const chats = recipe.chatFor(() => attempts++);
  try {
    const sample = toNewSample({ ...contentOf(task.sample), key: task.sampleKey });
    if (target.target.kind === "stored" && sample.output == null) {
      throw new AppError("invalid_request", "The sample has no stored output.");
    }
    const plan = planScoring(evaluators, rubric, expectedAnswer(sample, target.target));
    const sources = { chat: chats.target, rag: chats.rag };
    const { output } = await makeOutput(sources, call, target, sample, (seed + task.repeat) % 2 ** 32);
    onOutput();
    const deps = { log, reference, chat: chats.judges };
    const answer = answerOf(sample, output);
    const scores = await scoreAnswer(deps, call, rubric ? plan : withoutObstacles(plan, answer), answer);
    const endedAt = now();
    const rows = scores.map((score) => toScoreRow(task.id, { ...score, scored_at: endedAt.toISOString() }));
    const outcome = outcomeOf(output, scores, sample);
    return { task, state: "done", output, ...outcome, error: null, attempts: attempts || 1, scores: rows, endedAt };
  } catch (thrown) {
    call.signal.throwIfAborted();
    if (thrown instanceof RunStopped || (waits.aborted && thrown === waits.reason)) throw thrown;
    const error = toAppError(thrown);
    if (error.kind === "internal") log.error({ err: error.cause, result: task.id }, "a sample failed");
    return failedOutcome(task, error, attempts || 1, now());
  }
};

/** The outcome of a sample that could not be run. */
export const failedOutcome = (task: ResultTask, error: AppError, attempts: number, endedAt: Date): Outcome => ({
  ...{ task, state: "error", output: null, passed: null, overall: null, scores: [], attempts, endedAt },
  failure: FAILURES[error.kind] ?? "upstream_error",
  error: { ...toEnvelope(error, task.id).error },
});

const FAILURES: Partial<Record<ErrorKind, FailureKind>> = {
  invalid_request: "invalid_sample",
  context_length_exceeded: "invalid_sample",
  payload_too_large: "invalid_sample",
  deadline_exceeded: "timeout",
  rate_limited: "rate_limited",
  budget_exceeded: "rate_limited",
  overloaded: "rate_limited",
};
