import type { Tx } from "../db/client";
import type { ClaimedTask } from "../db/jobs";

/** Thrown when another worker has taken over the task, so this worker may write nothing more for it. */
export class TaskLost extends Error {
  override readonly name = "TaskLost";
}

/** Why a running task must stop early. It is the abort reason of the task's signal. */
export type StopReason = "cancelled" | "draining" | "lost";

type Json = Record<string, unknown>;

/** The interface between a handler and its task. */
export interface TaskContext {
  /** The span of this attempt; undefined: it is not traced. */
  traceparent?: string;
  /** Aborted with a `StopReason`. The handler must then stop by throwing any error. */
  signal: AbortSignal;
  /**
   * Saves the job's progress. `mark` increases with progress and is the same for the same position in every attempt:
   * once a task gets further than ever before, workers that died on it no longer count. Throws TaskLost.
   */
  progress(progress: Json, mark?: number): Promise<void>;
  /** Writes in one transaction if the task still belongs to this worker; otherwise throws TaskLost. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** Makes the last writes and ends the task, and the job with its last task, in one transaction. Throws TaskLost. */
  finish(work: (tx: Tx) => Promise<Json>): Promise<void>;
}

/** Runs the tasks of one kind. A task may run more than once, so writing the same twice must be harmless. */
export interface JobHandler {
  kind: string;
  concurrency: number;
  /**
   * Whether the handler itself finds the part of a task that kills workers and leaves it out. The task as a whole is then
   * never quarantined.
   */
  isolatesPoison?: boolean;
  /** Ends with `context.finish`. An error is retried if a retry may help; otherwise the task fails with it. */
  run(task: ClaimedTask, context: TaskContext): Promise<void>;
  /** Deletes leftovers of ended tasks. Called when no task is left running and once a minute; must be fast then. */
  sweep?(): Promise<void>;
}
