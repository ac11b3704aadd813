import type { BatchSettings } from "../../gateway/batch-evals/contract";
import type { Output, RunPins } from "../../gateway/evals/contract";
import { AppError } from "../../lib/errors";

/** From this result on, the share of errors is checked. */
const MIN_RESULTS_FOR_SHARE = 20;

/** The whole run stops with this error, because no other sample would fare better. */
export class RunStopped extends Error {
  constructor(readonly error: AppError) {
    super(error.message);
  }
}

/** The run has another job now, or was cancelled, so this worker stops. */
export class Superseded extends Error {}

/** The run was paused, so samples that wait for a call stop waiting. */
export class Paused extends Error {}

const percent = (share: number): string => `${Math.round(1000 * share) / 10} %`;

/** Throws RunStopped if more results are errors than the run's settings allow. */
export const checkErrorShare = (
  settings: BatchSettings | null,
  { errors, done }: { errors: number; done: number },
): void => {
  const { max_error_share: most } = settings ?? {};
  if (most !== undefined && done >= MIN_RESULTS_FOR_SHARE && errors / done > most) {
    throw tooManyErrors(errors, done, most);
  }
};

const tooManyErrors = (errors: number, done: number, most: number): RunStopped =>
  new RunStopped(
    new AppError(
      "upstream_error",
      `${errors} of ${done} results are errors (${percent(errors / done)}), more than the limit of ${percent(most)}. Fix the cause, then resume the run with retry_errors.`,
    ),
  );

/** The pins with the model's revision, once an answer shows it, and the reason to stop if another answer differs. */
export const pinRevision = (
  pins: RunPins,
  ended: readonly { output: Output | null }[],
): { pins?: RunPins; stop?: RunStopped } => {
  const revisions = [...new Set(ended.flatMap(({ output }) => output?.model_revision ?? []))];
  const pinned = pins.model_revision ?? revisions[0];
  const other = revisions.find((revision) => revision !== pinned);
  return {
    ...(pins.model_revision === null && pinned !== undefined && { pins: { ...pins, model_revision: pinned } }),
    ...(pinned !== undefined && other !== undefined && { stop: changedRevision(pinned, other) }),
  };
};

const changedRevision = (pinned: string, found: string): RunStopped =>
  new RunStopped(
    new AppError(
      "conflict",
      `The model's revision changed from ${pinned} to ${found} during the run. Start a new run, so that no figure mixes the two.`,
    ),
  );

/** A sample is not run again after this many workers in a row died while it was the only one running. */
const MAX_DEATHS_ALONE = 3;
/** If workers die often, a death is more likely chance. For this many dead workers, one more death is needed. */
const WORKER_DEATHS_PER_CHANCE = 10;

/** How many deaths make a sample an error. Other samples may have been running at the first one. */
export const maxDeathsOf = ({ workerDeaths = 0 }: { workerDeaths?: number }): number =>
  1 + MAX_DEATHS_ALONE + Math.floor(workerDeaths / WORKER_DEATHS_PER_CHANCE);

/** The error of a sample that is not run again. */
export const poison = (deathsAlone: number): AppError =>
  new AppError(
    "internal",
    `${deathsAlone} workers died while running only this sample, so it is not run again. Check their logs, then retry the errors of the run.`,
  );
