import type { EvalStage } from "../../gateway/evals/service";
import type { AppError } from "../../lib/errors";
import { ErrorPanel } from "../ui/states";
import { duration } from "../ui/time";
import type { RunningEval } from "./running";

/** From here on people want to know that it still runs, and how to end it. */
const LONG_MS = 10_000;

/**
 * Morphed from one update to the next, so that the focus stays on the button and each step is read out once. Nothing
 * around it is `aria-busy`: that would keep screen readers from reading it.
 */
const STATUS_ID = "evaluating-status";

/** What is done now; renewed every second until the result is there. */
export const Evaluating = ({ running: { id, stage, startedMs } }: { running: RunningEval }) => {
  const tookMs = performance.now() - startedMs;
  return (
    <div id="evaluating-now" class="evaluating">
      <p id={STATUS_ID} role="status">
        {stageText(stage)}
      </p>
      <progress aria-label="Evaluating" {...progressOf(stage)}></progress>
      <p class="fine">
        {tookMs > LONG_MS && `Still working after ${duration(Math.floor(tookMs / 1000) * 1000)}. `}
        You may leave: it goes on, and stands in the history when it is done.
      </p>
      <button
        id="evaluating-stop"
        type="submit"
        class="secondary"
        formaction={`/evals/running/${id}/stop`}
        formnovalidate
        hx-post={`/evals/running/${id}/stop`}
        hx-swap="none"
      >
        Stop
      </button>
    </div>
  );
};

const stageText = (stage: EvalStage): string =>
  stage.step === "answering"
    ? "The model writes its answer."
    : `${stage.evaluator} scores it${stage.of > 1 ? `, ${stage.index} of ${stage.of}` : ""}.`;

const progressOf = (stage: EvalStage): { max?: number; value?: number } =>
  stage.step === "scoring" ? { max: stage.of + 1, value: stage.index } : {};

/** The end: app.js goes to the page, and who has no script has a link. */
export const Evaluated = ({ path }: { path: string }) => (
  <p id={STATUS_ID} role="status" data-goto={path}>
    Scored. <a href={path}>Open the result</a>
  </p>
);

/** Why there is no result. Whoever stopped it had the focus on the button that is gone now. */
export const NotEvaluated = ({ error, requestId }: { error: AppError; requestId: string }) => {
  const isStopped = error.kind === "client_closed";
  return (
    <div id="evaluating-failure" role="alert" tabindex={isStopped ? -1 : undefined} autofocus={isStopped}>
      <ErrorPanel error={error} requestId={requestId} />
    </div>
  );
};
