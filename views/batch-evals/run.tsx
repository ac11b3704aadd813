import type { BatchEval } from "../../gateway/batch-evals/contract";
import { MIN_LABELS } from "../../gateway/evals/statistics/calibration";
import { MAX_DISAGREEMENTS } from "../../gateway/labels/service";
import { passRateOf } from "../evals/words";
import { type Frame, may, Screen } from "../layout";
import { withQuery } from "../ui/lists";
import { ButtonLink, Tabs, Time } from "../ui/parts";
import { percent, timeSpan } from "../ui/quantities";
import { Controls, isRecomputing, RecomputeForm, Recomputing } from "./controls";
import { Downloads } from "./downloads";
import { Criteria, FailureKinds, Latency, Repeats, Segments, Spending } from "./figures";
import { StateMark } from "./list";
import { RunSettings } from "./settings";
import { adviceFor, errorSentence, isOpen, progressText, sizeText, targetName, verdictSentence } from "./words";

export const RUNS = { path: "/batch-evals", name: "Runs" };

interface RunPageProps extends Frame {
  run: BatchEval;
  /** Id of the baseline run of its dataset; null: none, or the dataset was deleted. */
  baseline: string | null;
  /** Names of keys by id. */
  keyNames: ReadonlyMap<string, string>;
  /** Versions that can score the outputs again. */
  evaluators: readonly string[];
  notice: string;
}

/** A run over a dataset: its verdict, failures, figures and settings. The page is updated while the run is in progress. */
export const RunPage = ({ run, baseline, keyNames, evaluators, ...frame }: RunPageProps) => {
  const path = `/batch-evals/${run.id}`;
  const isEditor = may(frame, "editor");
  const isPausing = run.state === "paused" && run.progress.running > 0;
  const isLive = isOpen(run) || isPausing || isRecomputing(run) || run.figures_stale;
  return (
    <Screen
      {...frame}
      title={run.name}
      kind="wide"
      trail={[RUNS]}
      note={<RunNote run={run} startedBy={keyNames.get(run.created_by) ?? run.created_by} />}
      actions={
        <>
          <ButtonLink
            href={withQuery("/batch-evals/compare", { runs: run.id })}
            text="Compare"
            look="button secondary"
          />
          {isEditor && (
            <ButtonLink
              href={withQuery("/batch-evals/new", { run: run.id })}
              icon="retry"
              text="Run again"
              look="button secondary"
            />
          )}
        </>
      }
      refreshSeconds={isLive ? 5 : undefined}
    >
      <RunTabs run={run} current="summary" />
      <div id="run" {...(isLive && updatedFrom(path))}>
        <Verdict run={run} isEditor={isEditor} />
        <Recomputing run={run} />
        <div class="pair">
          <FailureKinds run={run} path={path} />
          <Latency run={run} />
        </div>
        <Criteria run={run} />
        {isEditor && run.progress.judged > 0 && (
          <p class="label-link">
            <a href={withQuery("/evals/label", { run: run.id, only: "disagreements", metric: labelledMetric(run) })}>
              Label up to {MAX_DISAGREEMENTS} disagreements
            </a>{" "}
            <span class="fine">
              Answers with conflicting verdicts, or a score near the threshold. With {MIN_LABELS} labels of a criterion,
              this page shows how far its evaluators agree with people, and a corrected pass rate.
            </span>
          </p>
        )}
        <Repeats run={run} />
        <Segments run={run} path={path} kind="tag" />
        <Segments run={run} path={path} kind="group" />
        <Spending run={run} />
      </div>
      {isEditor && !isOpen(run) && run.progress.done > 0 && <RecomputeForm path={path} evaluators={evaluators} />}
      <Downloads run={run} />
      <Baseline run={run} baseline={baseline} isEditor={isEditor} />
      <RunSettings run={run} />
    </Screen>
  );
};

/** The criterion that decides the verdict first. */
const labelledMetric = ({ statistics }: BatchEval): string | undefined =>
  statistics.find(({ shadow, pass_rate: rate }) => !shadow && rate !== null)?.metric;

/** Updates the figures every two seconds. Focus, scroll position and open boxes are kept. */
const updatedFrom = (path: string) => ({
  "hx-get": path,
  "hx-trigger": "every 2s",
  "hx-select": "#run",
  "hx-swap": "outerMorph",
  "data-poll": true,
});

/** "smollm2-135m-instruct on bakery, revision 2: 200 samples. Started 27 Nov 2026, 10:15". */
export const RunNote = ({ run, startedBy: by }: { run: BatchEval; startedBy?: string }) => {
  const { dataset } = run.pins;
  return (
    <>
      {targetName(run)}
      {dataset && (
        <>
          {" on "}
          <a href={withQuery(`/datasets/${dataset.id}`, { revision: dataset.revision })}>
            {dataset.name}, revision {dataset.revision}
          </a>
        </>
      )}
      {`: ${sizeText(run)}. Started `}
      <Time at={run.created_at} />
      {by && ` by ${by}`}
      {run.ended_at && `, ended ${timeSpan((Date.parse(run.ended_at) - Date.parse(run.created_at)) / 1000)} later`}
    </>
  );
};

export const RunTabs = ({ run, current }: { run: BatchEval; current: "summary" | "samples" }) => {
  const path = `/batch-evals/${run.id}`;
  const mark = (name: typeof current) => (name === current ? ("page" as const) : undefined);
  return (
    <Tabs
      label="Views of this run"
      tabs={[
        { href: path, text: "Summary", current: mark("summary") },
        { href: `${path}/samples`, text: "Samples", current: mark("samples") },
      ]}
    />
  );
};

interface VerdictProps {
  run: BatchEval;
  isEditor: boolean;
}

/** The pass rate with its uncertainty, the progress, and the available actions. */
const Verdict = ({ run, isEditor }: VerdictProps) => {
  const rate = passRateOf(run);
  const errors = errorSentence(run);
  const advice = adviceFor(run);
  const { done, total } = run.progress;
  return (
    <section class="card run-verdict" aria-labelledby="verdict-title">
      <h2 id="verdict-title" class="visually-hidden">
        Result
      </h2>
      <div class="run-head">
        <p class="run-figure">
          <strong>{rate ? percent(rate.value) : "–"}</strong> <span>passed</span>
        </p>
        <div class="run-words">
          <p>{verdictSentence(run)}</p>
          {errors && <p>{errors}</p>}
          {advice && <p>{advice}</p>}
        </div>
      </div>
      <div class="run-progress">
        <p>
          <span role="status">
            <StateMark run={run} />
          </span>{" "}
          <span class="fine">{progressText(run)}</span>
        </p>
        {done < total && <progress aria-label="Results done" max={Math.max(1, total)} value={done}></progress>}
      </div>
      {run.waiting && (
        <p class="run-waiting">
          No call has succeeded since <Time at={run.waiting.since} />. {run.waiting.message} The run continues by itself
          as soon as calls succeed, and fails after 15 minutes.
        </p>
      )}
      {run.figures_stale && !isOpen(run) && run.progress.running === 0 && <StaleFigures run={run} />}
      {run.error && <p class="run-error">{run.error.message}</p>}
      {isEditor && <Controls run={run} />}
    </section>
  );
};

const StaleFigures = ({ run }: { run: BatchEval }) => (
  <p class="fine" role="status">
    {run.verdict === null && run.statistics.length === 0
      ? "The figures of this run are being computed. They appear here in a few seconds."
      : "The intervals, criteria and latencies don’t include the latest changes. They are being recomputed and appear here in a few seconds."}
  </p>
);

/** Whether new runs of the dataset are compared with this one. */
const Baseline = ({ run, baseline, isEditor }: Pick<RunPageProps, "run" | "baseline"> & { isEditor: boolean }) => {
  const { dataset } = run.pins;
  if (!dataset || run.ended_at === null) return null;
  if (run.id === baseline) {
    return <p class="hint">This is the baseline of {dataset.name}: other runs of the dataset are compared with it.</p>;
  }
  if (!isEditor) return null;
  return (
    <form class="baseline" method="post" action={`/batch-evals/${run.id}/baseline`}>
      <button type="submit" class="secondary">
        Set as baseline
      </button>{" "}
      <span class="fine">Other runs of {dataset.name} are then compared with this one.</span>
    </form>
  );
};
