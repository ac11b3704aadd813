import type { Db, Tx } from "../db/client";
import { settleJobAndPublish } from "../db/ended-work";
import { type ClaimedTask, endTask, isTaskHeld, requeueTask, saveProgress } from "../db/jobs";
import { type ErrorEnvelope, toAppError, toEnvelope } from "../lib/errors";
import type { Log } from "../lib/log";
import type { Tracer } from "../lib/tracing/tracer";
import { type JobHandler, type StopReason, type TaskContext, TaskLost } from "./handler";

export const MAX_ATTEMPTS = 3;

const BASE_MS = 1000;
const CAP_MS = 60_000;

/** Milliseconds until the next attempt: exponential backoff with full jitter, up to 1 s at first and 60 s later. */
const backoffMs = (attempts: number, random = Math.random): number =>
  random() * Math.min(CAP_MS, BASE_MS * 2 ** (attempts - 1));

interface RunDeps {
  db: Pick<Db, "write">;
  log: Log;
  tracer?: Tracer;
  now: () => Date;
}

/**
 * Runs one claimed task until it ends or is requeued. Never rejects: a failure is written to the task. If that write
 * fails too, the task becomes a stray, see `requeueStrays`.
 */
export const runTask = async (
  { db, log, tracer, now }: RunDeps,
  handler: JobHandler,
  task: ClaimedTask,
  signal: AbortSignal,
): Promise<void> => {
  const span = tracer?.start(`task ${task.kind}`, {
    kind: "consumer",
    linkedTo: task.job.traceparent ?? undefined,
    attributes: {
      "groundwire.job.id": task.jobId,
      "groundwire.job.kind": task.kind,
      "groundwire.task.id": task.id,
      "groundwire.task.attempt": task.attempts + 1,
      "groundwire.key.id": task.job.createdBy,
    },
  });
  const fields = { job: task.jobId, task: task.id, kind: task.kind, traceId: span?.traceId };
  let isFinished = false;

  const fenced = <T>(work: (tx: Tx) => Promise<T>): Promise<T> =>
    db.write(async (tx) => {
      if (!(await isTaskHeld(tx, task))) throw new TaskLost();
      return work(tx);
    });

  const context: TaskContext = {
    traceparent: span?.traceparent,
    signal,
    write: fenced,
    async progress(progress, mark = 0) {
      // The loop runs more tasks beside this one again.
      if (await fenced((tx) => saveProgress(tx, task, progress, mark))) task.deaths = 0;
    },
    async finish(work) {
      await fenced(async (tx) => {
        const result = await work(tx);
        await endTask(tx, task, "done");
        await settleJobAndPublish(tx, task.jobId, result, now());
      });
      isFinished = true;
    },
  };

  const giveUp = async (thrown: unknown): Promise<void> => {
    const reason: StopReason | undefined = signal.aborted ? signal.reason : undefined;
    span?.set({ "groundwire.task.stopped": thrown instanceof TaskLost ? "lost" : reason });
    if (thrown instanceof TaskLost || reason === "lost") {
      log.warn(fields, "a task was taken over by another worker");
      return;
    }
    if (reason === "draining") return fenced((tx) => requeueTask(tx, task, now()));
    if (reason === "cancelled") return end("cancelled", null);
    const error = toAppError(thrown);
    span?.fail(error.kind);
    const failure = withJobId(toEnvelope(error, task.jobId).error, task.jobId);
    const attempts = task.attempts + 1;
    const mayHelp = error.retryable || error.kind === "internal";
    log.warn({ ...fields, attempts, code: error.kind, err: error.cause ?? error }, "a task failed");
    if (!mayHelp || attempts >= MAX_ATTEMPTS) return end("failed", { ...failure });
    const pauseMs = Math.max(backoffMs(attempts), error.detail.retryAfterMs ?? 0);
    return fenced((tx) => requeueTask(tx, task, now(), { error: { ...failure }, pauseMs }));
  };

  const end = (state: "failed" | "cancelled", failure: Record<string, unknown> | null): Promise<void> =>
    fenced(async (tx) => {
      await endTask(tx, task, state, failure);
      await settleJobAndPublish(tx, task.jobId, null, now());
    });

  try {
    await handler.run(task, context);
    if (!isFinished) throw new Error(`The handler of ${task.kind} ended without finishing its task.`);
  } catch (thrown) {
    if (isFinished) log.error({ ...fields, err: thrown }, "a finished task failed afterwards");
    else
      await giveUp(thrown).catch((error) =>
        log.error({ ...fields, err: error }, "the outcome of a task was not written"),
      );
  } finally {
    span?.end();
  }
};

/** Replaces "the request id" with the job's id, which a worker's log lines contain. */
const withJobId = (failure: ErrorEnvelope["error"], jobId: string): ErrorEnvelope["error"] => ({
  ...failure,
  message: failure.message.replace("the request id", jobId),
});
