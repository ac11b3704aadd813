import { listOutputs } from "../../db/batch-results";
import { findRun, type RunRow } from "../../db/runs";
import { RECOMPUTE_KIND, type RecomputePayload, type RecomputeProgress } from "../../gateway/batch-evals/job";
import type { RunPins } from "../../gateway/evals/contract";
import { addScores, rescore } from "../../gateway/evals/recompute";
import { AppError } from "../../lib/errors";
import type { JobHandler } from "../handler";
import { CallLimiter } from "./call-limiter";
import { type BatchEvalDeps, callFor, chatWith, principalOf, waitOf } from "./handlers";
import { ModelCalls } from "./model-calls";
import { RunStopped } from "./stops";

/** Results that are scored together and stored in one transaction. */
const RESULTS = 50;
const MAX_CALLS = 32;

/**
 * Scores the outputs of a batch run again. A result that already has a value from the same version is skipped, so another
 * worker can continue at any time.
 */
export const batchRecompute = (deps: BatchEvalDeps): JobHandler => {
  const { db, log, now = () => new Date() } = deps;
  return {
    kind: RECOMPUTE_KIND,
    concurrency: 1,

    async run(task, context) {
      const { runId, evaluators, rubric, shadow } = task.job.payload as unknown as RecomputePayload;
      const run = await findRun(db, runId);
      if (!run) throw new AppError("not_found", `Run ${runId} does not exist any more.`);
      const asked = rubric ?? (run.pins as unknown as RunPins).rubric;
      const chosen = (await deps.evaluators.choose(evaluators)).map((evaluator) => ({ ...evaluator, shadow }));
      const principal = await principalOf(deps, task.job.createdBy, now());
      const calls = new ModelCalls({
        limiter: new CallLimiter(MAX_CALLS),
        checkKey: async () => void (await principalOf(deps, task.job.createdBy, now())),
      });
      const stopping = new AbortController();
      const signal = AbortSignal.any([context.signal, stopping.signal]);
      const caller = { keyId: principal.keyId, runId: run.id, signal, traceparent: context.traceparent };
      const chat = chatWith((body) =>
        calls
          .send(
            signal,
            () => deps.gateway.chatOnce(caller, body, { usesCache: true }),
            waitOf,
            () => {},
          )
          .catch((thrown) => {
            if (thrown instanceof RunStopped) stopping.abort(thrown.error);
            throw thrown;
          }),
      );
      const scoring = { db, log, chat, reference: deps.reference, now };
      let progress = progressOf(run, task.job.progress as RecomputeProgress | null);
      for (;;) {
        const rows = await listOutputs(db, runId, progress.sequence, RESULTS);
        if (rows.length === 0) break;
        const scored = await Promise.all(
          rows.map(async (row) => {
            const rescoring = { chosen, rubric: asked, shadow };
            const scores = await rescore(scoring, callFor(principal, signal), rescoring, row).catch((thrown) => {
              signal.throwIfAborted();
              // A result with nothing to compare its output with is skipped.
              if (thrown instanceof AppError && thrown.kind === "invalid_request") return [];
              throw thrown;
            });
            return { row, scores };
          }),
        );
        const before = progress;
        progress = await context.write(async (tx) => {
          let { added } = before;
          for (const { row, scores } of scored) if (scores.length > 0) added += await addScores(tx, row, scores);
          return {
            ...before,
            added,
            done: before.done + rows.length,
            sequence: rows.at(-1)?.sequence ?? before.sequence,
          };
        });
        await context.progress({ ...progress }, progress.done);
      }
      await context.finish(async () => ({ ...progress }));
    },
  };
};

const progressOf = ({ progress }: RunRow, earlier: RecomputeProgress | null): RecomputeProgress =>
  earlier ?? { done: 0, total: (progress?.done ?? 0) - (progress?.errors ?? 0), added: 0, sequence: 0 };
