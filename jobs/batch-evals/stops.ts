import { AppError } from "../../lib/errors";

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

export const tooManyErrors = (errors: number, done: number, most: number): RunStopped =>
  new RunStopped(
    new AppError(
      "upstream_error",
      `${errors} of ${done} results are errors (${percent(errors / done)}), more than the limit of ${percent(most)}. Fix the cause, then resume the run with retry_errors.`,
    ),
  );

export const changedRevision = (pinned: string, found: string): RunStopped =>
  new RunStopped(
    new AppError(
      "conflict",
      `The model's revision changed from ${pinned} to ${found} during the run. Start a new run, so that no figure mixes the two.`,
    ),
  );

/** The error of a sample that is not run again. */
export const poison = (deathsAlone: number): AppError =>
  new AppError(
    "internal",
    `${deathsAlone} workers died while running only this sample, so it is not run again. Check their logs, then retry the errors of the run.`,
  );
