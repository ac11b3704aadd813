import type { Child } from "hono/jsx";
import type { BatchEval } from "../../gateway/batch-evals/contract";
import { Form, fieldsOf } from "../ui/fields";
import { count, number, Panel } from "../ui/parts";
import { errorsOf, isEnded } from "./words";

/** The actions that the state of the run allows. */
export const Controls = ({ run }: { run: BatchEval }) => {
  const { id, state, progress } = run;
  const path = `/batch-evals/${id}`;
  const hasEnded = isEnded(run);
  const isLeft = progress.done < progress.total;
  const { retryable, unscored } = errorsOf(run);
  const retries = hasEnded && retryable > 0;
  const scoresAgain = hasEnded && unscored > 0 && !isRecomputing(run);
  if (hasEnded && !isLeft && !retries && !scoresAgain) return null;
  return (
    <div class="run-actions">
      {state !== "paused" && !hasEnded && <Action path={path} name="pause" text="Pause" />}
      {(state === "paused" || (hasEnded && isLeft)) && <Action path={path} name="resume" text="Resume" look="" />}
      {!hasEnded && <Action path={path} name="cancel" text="Cancel run" look="danger" />}
      {retries && <Action path={path} name="retry" text={`Retry ${count(retryable, "error")}`} />}
      {scoresAgain && (
        <Action path={path} name="recompute" text={`Score ${count(unscored, "answer")} again`}>
          {decidingEvaluators(run).map((evaluator) => (
            <input type="hidden" name="evaluator" value={evaluator} />
          ))}
          <input type="hidden" name="shadow" value="false" />
        </Action>
      )}
    </div>
  );
};

/** The evaluators that the verdicts depend on. A criterion that one of them has scored is not scored again. */
const decidingEvaluators = ({ statistics, pins }: BatchEval): string[] => {
  const scored = statistics.length > 0 ? statistics : pins.evaluators;
  return [...new Set(scored.flatMap(({ shadow, evaluator }) => (shadow ? [] : [evaluator])))];
};

const Action = ({
  path,
  name,
  text,
  look = "secondary",
  children,
}: {
  path: string;
  name: string;
  text: string;
  look?: string;
  children?: Child;
}) => (
  <form id={`${name}-run`} method="post" action={`${path}/${name}`}>
    {children}
    <button id={`${name}-button`} type="submit" class={look}>
      {text}
    </button>
  </form>
);

export const isRecomputing = ({ recompute }: BatchEval): boolean =>
  recompute?.state === "queued" || recompute?.state === "running";

/** The recomputation in progress, or the latest one. */
export const Recomputing = ({ run: { recompute } }: { run: BatchEval }) => {
  if (!recompute) return null;
  const { state, evaluators, shadow, done, total, added, error } = recompute;
  const by = `${evaluators.join(", ")}${shadow ? " (comparison only)" : ""}`;
  if (state === "queued" || state === "running") {
    return (
      <section class="card recomputing" aria-label="Scoring again">
        <p>
          Scoring the stored answers again with {by}: {number(done)} of {number(total)}
        </p>
        <progress aria-label="Answers scored again" max={Math.max(1, total)} value={done}></progress>
      </section>
    );
  }
  if (error) {
    return (
      <Panel title={`Scoring again with ${by} failed`}>
        {error.message} {number(added)} new scores were stored.
      </Panel>
    );
  }
  return (
    <p class="hint">
      Scored again with {by}: {count(added, "new score")}.
    </p>
  );
};

/** Scores the stored answers again. Nothing is generated, and existing scores are kept. */
export const RecomputeForm = ({ path, evaluators }: { path: string; evaluators: readonly string[] }) => {
  const { choice, select } = fieldsOf({ shadow: "true" });
  return (
    <details class="card fold">
      <summary>Score again with another evaluator</summary>
      <Form look="form" action={`${path}/recompute`} submit="Score again">
        {select("evaluator", "Evaluator", evaluators, {
          hint: "Scores the stored answers. No new answers are generated, and existing scores are kept.",
        })}
        {choice("shadow", "The new scores", "radio", [
          { value: "true", label: "Comparison only", hint: "Scored, but excluded from the verdict." },
          {
            value: "false",
            label: "Use for the verdict",
            hint: "They replace the scores of other versions of the same evaluator.",
          },
        ])}
      </Form>
    </details>
  );
};
