import type { Label, Run, RunWithResults, SampleResult, Score } from "../../gateway/evals/contract";
import { decidingScores } from "../../gateway/evals/verdict";
import { hasRole } from "../../gateway/principal";
import { textOfInput } from "../datasets/text";
import { Alerts, type Frame, Heading, Notice, Shell } from "../layout";
import { ErrorSummary, type Problems } from "../ui/fields";
import { Icon } from "../ui/icon";
import { Pager, withQuery } from "../ui/lists";
import { Table } from "../ui/table";
import { Time } from "../ui/time";
import { ClaimTable, MarkedAnswer } from "./claims";
import type { FilledLabel } from "./filled-label";
import { GivenLabels, LabelForm } from "./label-form";
import { Metadata } from "./metadata";
import { RecomputeForm } from "./recompute";
import { OtherScores, ScoreCards } from "./scores";
import { FAILURE_WORDS, valueText, verdictKind } from "./words";

interface RunPageProps extends Frame, RunWithResults {
  /** Versions that can score the outputs again. */
  evaluators: readonly string[];
  after?: string;
  notice?: string;
  /** A label's form that was refused, and why. */
  filled?: FilledLabel;
  problems?: Problems;
}

/** One run: a single result in full, or the results of a larger one as a list. */
export const RunPage = ({ run, results, evaluators, after, notice, filled, problems = {}, ...frame }: RunPageProps) => {
  const [only] = results.data;
  const isSingle = run.progress.total === 1 && only !== undefined;
  const mayEvaluate = frame.principal !== undefined && hasRole(frame.principal.role, "member");
  const isRefused = Object.keys(problems).length > 0;
  return (
    <Shell {...frame} title={isRefused ? `Error: ${run.name}` : run.name}>
      <ErrorSummary problems={problems} />
      <nav class="trail" aria-label="Where this is">
        <a href="/evals">Evaluations</a>
      </nav>
      <Heading title={run.name} note={<RunNote run={run} />}>
        {mayEvaluate && isSingle && (
          <a class="button" href={withQuery("/evals/new", { run: run.id })}>
            <Icon name="retry" /> Evaluate again
          </a>
        )}
      </Heading>
      <Alerts />
      <Notice text={notice} />
      {isSingle ? (
        <ResultView {...frame} run={run} result={only} filled={filled} problems={problems} />
      ) : (
        <ResultList run={run} results={results} after={after} />
      )}
      {mayEvaluate && <RecomputeForm run={run} evaluators={evaluators} mayDecide={mayDecide(run, frame.principal)} />}
      <Metadata run={run} result={isSingle ? only : undefined} />
      <p class="hint">
        Download this run as <a href={`/evals/${run.id}/export?format=json`}>JSON</a>, which another Groundwire can take
        in, or its scores as <a href={`/evals/${run.id}/export?format=csv`}>CSV</a> for a spreadsheet.
      </p>
    </Shell>
  );
};

/** A say in a run changes its verdict. */
const mayDecide = (run: Run, principal: Frame["principal"]): boolean =>
  principal !== undefined && (run.created_by === principal.keyId || hasRole(principal.role, "editor"));

interface ResultPageProps extends Frame {
  run: Run;
  result: SampleResult;
  notice?: string;
  /** A label's form that was refused, and why. */
  filled?: FilledLabel;
  problems?: Problems;
}

/** One result of a larger run, at an address of its own. */
export const ResultPage = ({ run, result, notice, filled, problems = {}, ...frame }: ResultPageProps) => (
  <Shell {...frame} title={`${Object.keys(problems).length > 0 ? "Error: " : ""}${result.sample_key} · ${run.name}`}>
    <ErrorSummary problems={problems} />
    <nav class="trail" aria-label="Where this is">
      <a href="/evals">Evaluations</a>
      <a href={`/evals/${run.id}`}>{run.name}</a>
    </nav>
    <Heading title={result.sample_key} note={<RunNote run={run} />} />
    <Alerts />
    <Notice text={notice} />
    <ResultView {...frame} run={run} result={result} filled={filled} problems={problems} />
    <Metadata run={run} result={result} />
  </Shell>
);

const RunNote = ({ run }: { run: Run }) => (
  <>
    {run.pins.target.kind === "stored" ? "A given answer" : `An answer of ${run.pins.target.model ?? "the model"}`},
    scored <Time at={new Date(run.created_at)} />
  </>
);

type ViewProps = Pick<ResultPageProps, "run" | "result" | "filled" | "problems" | "principal">;

const ResultView = ({ result, filled, problems = {}, principal }: ViewProps) => {
  const deciding = decidingScores(result.scores);
  const others = result.scores.filter((score) => !deciding.includes(score));
  const mayLabel = principal !== undefined && hasRole(principal.role, "editor");
  const own = result.labels.filter(({ labelled_by }) => labelled_by === principal?.keyId);
  return (
    <>
      <Outcome result={result} />
      <section aria-labelledby="scores-title">
        <h2 id="scores-title">Scores</h2>
        <ScoreCards scores={deciding} />
        <OtherScores scores={others} />
      </section>
      <Answer result={result} scores={deciding} />
      <Given result={result} />
      <section aria-labelledby="labels-title">
        <h2 id="labels-title">What people say</h2>
        <GivenLabels labels={result.labels} />
        {mayLabel && <LabelForm result={result} own={own} filled={filled} problems={problems} />}
      </section>
    </>
  );
};

const Outcome = ({ result: { passed, failure, overall } }: { result: SampleResult }) => (
  <p class="card outcome">
    <span class={`state ${verdictKind(passed)}`}>
      {passed === null ? "No verdict" : passed ? "Passed" : "Not passed"}
      {failure && `: ${FAILURE_WORDS[failure]}`}
    </span>
    {overall !== null && <span class="fine">Overall {valueText(overall)}</span>}
  </p>
);

const Answer = ({ result, scores }: { result: SampleResult; scores: readonly Score[] }) => {
  const text = result.output?.text ?? "";
  const claims = scores.find((score) => score.claims.length > 0)?.claims ?? [];
  return (
    <section aria-labelledby="answer-title">
      <h2 id="answer-title">Answer</h2>
      {text === "" ? <p class="nothing">The answer is empty.</p> : <MarkedAnswer text={text} claims={claims} />}
      {claims.length > 0 && <ClaimTable claims={claims} />}
    </section>
  );
};

/** What the model was asked, and what the answer was compared with. */
const Given = ({ result: { input, references, contexts } }: { result: SampleResult }) => (
  <section aria-labelledby="given-title">
    <h2 id="given-title">Question and references</h2>
    <dl class="record">
      <div>
        <dt>Input</dt>
        <dd class="verbatim">{textOfInput(input)}</dd>
      </div>
      <div>
        <dt>References</dt>
        {references.length === 0 ? (
          <dd class="nothing">none</dd>
        ) : (
          references.map((text) => <dd class="verbatim">{text}</dd>)
        )}
      </div>
      {contexts.map((text, index) => (
        <div id={`context-${index + 1}`}>
          <dt>Context {index + 1}</dt>
          <dd class="verbatim">{text}</dd>
        </div>
      ))}
    </dl>
  </section>
);

const ResultList = ({ run, results, after }: { run: Run; results: RunWithResults["results"]; after?: string }) => (
  <section aria-labelledby="results-title">
    <h2 id="results-title">Results</h2>
    <Table
      caption="Results"
      rows={results.data}
      columns={[
        {
          name: "Input",
          isLong: true,
          cell: ({ id, input }) => <a href={`/evals/${run.id}/results/${id}`}>{textOfInput(input)}</a>,
        },
        { name: "Output", isLong: true, cell: ({ output }) => output?.text ?? "" },
        {
          name: "Verdict",
          cell: ({ passed }) => (
            <span class={`state ${verdictKind(passed)}`}>
              {passed === null ? "No verdict" : passed ? "Passed" : "Not passed"}
            </span>
          ),
        },
        { name: "Labels", isNumeric: true, cell: ({ labels }: { labels: readonly Label[] }) => labels.length },
      ]}
    />
    <Pager path={`/evals/${run.id}`} query={{ after }} next={results.next_cursor} />
  </section>
);
