import type { Tx } from "../db/client";
import type { ClaimedTask } from "../db/jobs";

/** Thrown when a task has gone to another worker meanwhile: nothing more may be written on its behalf. */
export class TaskLost extends Error {
  override readonly name = "TaskLost";
}

/** Why a running task is to end early; the reason of its aborted signal. */
export type StopReason = "cancelled" | "draining" | "lost";

type Json = Record<string, unknown>;

/** What a handler may do besides its work. */
export interface TaskContext {
  /** Aborted with a `StopReason`: the handler gives up at once and throws whatever it likes. */
  signal: AbortSignal;
  /**
   * Saves how far the job is. `mark` counts up with the work and is the same for the same place in every try: workers that
   * died before do not count against the task once it is further than it ever was. Throws TaskLost.
   */
  progress(progress: Json, mark?: number): Promise<void>;
  /** Writes while the task is still this worker's, in one transaction. Throws TaskLost, having written nothing. */
  write<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
  /** The last writes, the end of the task and, with the last task, of the job: in one transaction. Throws TaskLost. */
  finish(work: (tx: Tx) => Promise<Json>): Promise<void>;
}

/** How the tasks of one kind are done. It runs at least once for each task, so what it writes has to bear a second time. */
export interface JobHandler {
  kind: string;
  /** Tasks that one worker runs at the same time. */
  concurrency: number;
  /** Ends with `context.finish`. What it throws is tried again where a retry may help, else it is the task's failure. */
  run(task: ClaimedTask, context: TaskContext): Promise<void>;
  /** Clears away what ended work has left behind. Called after each task and once a minute; cheap when there is nothing. */
  sweep?(): Promise<void>;
}
