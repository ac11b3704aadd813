import type { RunningEval } from "../../gateway/evals/running";
import type { EvalStage } from "../../gateway/evals/service";
import type { AppError } from "../../lib/errors";
import { stops } from "../ui/fields";
import { duration, ErrorPanel } from "../ui/parts";

/** After this long the page says that the evaluation is still running. */
const LONG_MS = 10_000;

/**
 * Updates morph this element, so that the button keeps the focus and a screen reader announces each step once. Nothing
 * around it may be `aria-busy`, which would silence it.
 */
const STATUS_ID = "evaluating-status";

/** The current step, updated every second until the evaluation ends. */
export const Evaluating = ({ id, stage, startedMs }: { id: string; stage: EvalStage; startedMs: number }) => {
  const tookMs = performance.now() - startedMs;
  return (
    <div id="evaluating-now" class="evaluating">
      <p id={STATUS_ID} role="status">
        {stageText(stage)}
      </p>
      <progress aria-label="Evaluating" {...progressOf(stage)}></progress>
      <p class="fine">
        {tookMs > LONG_MS && `Still working after ${duration(Math.floor(tookMs / 1000) * 1000)}. `}
        You can leave this page. The result will be in the list of evaluations.
      </p>
      <button
        id="evaluating-stop"
        type="submit"
        class="secondary"
        data-takes-focus
        {...stops(`/evals/running/${id}/stop`)}
      >
        Stop
      </button>
    </div>
  );
};

/** The user's evaluations in progress, each with its step and a button that stops it. */
export const RunningEvaluations = ({ running }: { running: readonly RunningEval[] }) =>
  running.length > 0 && (
    <section class="card running" aria-label="Running evaluations">
      {running.map(({ id, name, stage }) => (
        <form id={`running-${id}`} method="post" action={`/evals/running/${id}/stop`}>
          <div>
            <p class="running-name">{name}</p>
            <p class="fine">{stageText(stage)}</p>
          </div>
          <button type="submit" class="secondary" aria-label={`Stop: ${name}`}>
            Stop
          </button>
        </form>
      ))}
    </section>
  );

const stageText = (stage: EvalStage): string => {
  if (stage.step === "preparing") return "Preparing the evaluation.";
  if (stage.step === "answering") return "The model is writing its answer.";
  return `${stage.evaluator} is scoring the answer${stage.of > 1 ? ` (${stage.index} of ${stage.of})` : ""}.`;
};

const progressOf = (stage: EvalStage): { max?: number; value?: number } =>
  stage.step === "scoring" ? { max: stage.of + 1, value: stage.index } : {};

/** The last update: app.js opens the result. */
export const Evaluated = ({ path }: { path: string }) => (
  <p id={STATUS_ID} role="status" data-goto={path}>
    Scored. <a href={path}>Open the result</a>
  </p>
);

export const NotEvaluated = ({ error, requestId }: { error: AppError; requestId: string }) => (
  <div id="evaluating-failure" role="alert" tabindex={-1} data-takes-focus>
    <ErrorPanel error={error} requestId={requestId} />
  </div>
);

/** Confirms that the user stopped the evaluation. */
export const Stopped = () => (
  <p id={STATUS_ID} class="panel notice" role="status" tabindex={-1} data-takes-focus>
    Stopped. Nothing was saved.
  </p>
);
