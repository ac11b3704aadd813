import type { BatchProgress } from "../../db/batch-evals";
import type { RecomputeBatchEval } from "./contract";

/** Kind of the job that runs the samples of a batch run. */
export const BATCH_KIND = "batch_eval";
/** Kind of the job that scores the outputs of a batch run again. */
export const RECOMPUTE_KIND = "batch_recompute";

export interface BatchPayload {
  runId: string;
  /** Errors that ended up to this `sequence` are retried; 0: none. */
  retryUpTo: number;
}

export interface RecomputePayload extends RecomputeBatchEval {
  runId: string;
  shadow: boolean;
}

/** Progress of a recomputation. */
export interface RecomputeProgress {
  done: number;
  total: number;
  added: number;
  /** The last result that was scored, by its `sequence`. */
  sequence: number;
}

/** The progress of a new run. */
export const newProgress = (total: number): BatchProgress => ({
  total,
  created: 0,
  nextPosition: 0,
  running: 0,
  done: 0,
  errors: 0,
  judged: 0,
  passed: 0,
  failures: {},
  promptTokens: 0,
  completionTokens: 0,
  cached: 0,
  workedMs: 0,
  sequence: 0,
  deaths: 0,
  activeMs: 0,
  perSecond: 0,
});
