import { textOfInput } from "../../gateway/datasets/content";
import { answerText } from "../../gateway/evals/answer-text";
import type { Run, RunInfo, SampleResult } from "../../gateway/evals/contract";
import { decidingScores, inRunOrder } from "../../gateway/evals/verdict";
import type { NumberedPage, NumberedQuery } from "../../gateway/paging";
import { type Frame, may, Screen } from "../layout";
import { Form, fieldsOf, type Problems } from "../ui/fields";
import { List, withQuery } from "../ui/lists";
import { ButtonLink, shortKey, Time } from "../ui/parts";
import type { FilledLabels } from "./label-form";
import { Metadata } from "./metadata";
import { ResultView } from "./result";
import { ValuesByEvaluator, verdictByText } from "./scores";
import { metricName, outcomeText, valueText, verdictKind } from "./words";

interface ResultPageProps extends Frame {
  run: RunInfo;
  result: SampleResult;
  /** Evaluator whose claims are shown. */
  claims?: string;
  notice: string;
  /** The fields of a rejected label form, and its errors. */
  filled?: FilledLabels;
  problems?: Problems;
}

interface RunPageProps extends Omit<ResultPageProps, "result"> {
  run: Run;
  results: NumberedPage<SampleResult>;
  sort: NumberedQuery<string>["sort"];
  /** Query string of the result list. */
  query: { sort?: string; page?: string };
  /** Versions that can score the outputs again. */
  evaluators: readonly string[];
}

const EVALUATIONS = { path: "/evals", name: "Evaluations" };

/** One run: its single result in full, or the list of its results. */
export const RunPage = (props: RunPageProps) => {
  const { run, results, sort, query, evaluators, claims, filled, ...frame } = props;
  const { problems } = frame;
  const path = `/evals/${run.id}`;
  const [only] = results.data;
  const single = run.progress.total === 1 ? only : undefined;
  const mayEvaluate = may(frame, "member");
  const mayDecide = run.created_by === frame.principal?.keyId || may(frame, "editor");
  return (
    <Screen
      {...frame}
      title={run.name}
      trail={[EVALUATIONS]}
      note={<RunNote run={run} />}
      actions={
        mayEvaluate &&
        single && <ButtonLink href={withQuery("/evals/new", { run: run.id })} icon="retry" text="Evaluate again" />
      }
    >
      {single ? (
        <ResultView {...{ ...frame, run, claims, filled, problems, path }} result={single} />
      ) : (
        <ResultList {...{ run, results, sort, query }} />
      )}
      {mayEvaluate && <RecomputeForm path={path} evaluators={evaluators} mayDecide={mayDecide} />}
      <Metadata run={run} result={single} />
      <p class="hint">
        Download this run as <a href={`${path}/export?format=json`}>JSON</a>, which another Groundwire instance can
        import, or its scores as <a href={`${path}/export?format=csv`}>CSV</a> for a spreadsheet.
      </p>
    </Screen>
  );
};

interface RecomputeFormProps {
  path: string;
  evaluators: readonly string[];
  /** Whether the user's new scores may count towards the verdict; if not, they are for comparison only. */
  mayDecide: boolean;
}

/** Scores the stored answers again. Nothing is generated, and existing scores do not change. */
const RecomputeForm = ({ path, evaluators, mayDecide }: RecomputeFormProps) => {
  const { choice, select } = fieldsOf({ shadow: "true" });
  const uses = "They replace the scores of other versions of the same evaluator.";
  return (
    <details class="card fold">
      <summary>Score again with another evaluator</summary>
      <Form look="form" action={`${path}/recompute`} data-busy="Scoring…" submit="Score again">
        {select("evaluator", "Evaluator", evaluators, {
          hint: "Scores the stored answer. Existing scores are kept, and only criteria without a score are scored.",
        })}
        {mayDecide &&
          choice("shadow", "The new scores", "radio", [
            { value: "true", label: "Comparison only", hint: "Scored, but excluded from the verdict." },
            { value: "false", label: "Use for the verdict", hint: uses },
          ])}
      </Form>
    </details>
  );
};

/** One result of a run with several results, on a separate page. */
export const ResultPage = ({ run, result, claims, filled, ...frame }: ResultPageProps) => (
  <Screen
    {...frame}
    title={`${result.sample_key} · ${run.name}`}
    trail={[EVALUATIONS, { path: `/evals/${run.id}`, name: run.name }]}
    heading={result.sample_key}
    note={<RunNote run={run} />}
  >
    <ResultView {...{ ...frame, run, result, claims, filled }} path={`/evals/${run.id}/results/${result.id}`} />
    <Metadata run={run} result={result} />
  </Screen>
);

const RunNote = ({ run }: { run: RunInfo }) => (
  <>
    {run.pins.target.kind === "stored" ? "A given answer" : `An answer by ${run.pins.target.model ?? "the model"}`},
    scored <Time at={run.created_at} />
  </>
);

type ResultListProps = Pick<RunPageProps, "run" | "results" | "sort" | "query">;

/** The results of a run, with the scores that count towards their verdicts. */
const ResultList = ({ run, results, sort, query }: ResultListProps) => {
  const path = `/evals/${run.id}`;
  const counted = (result: SampleResult) => inRunOrder(decidingScores(result.scores), run.pins);
  const verdicts = new Map(
    results.data.flatMap((result) => result.verdicts.map((each) => [`${each.evaluator} ${each.role}`, each])),
  );
  const metrics = new Set(inRunOrder(results.data.flatMap(counted), run.pins).map(({ metric }) => metric));
  return (
    <section aria-labelledby="results-title">
      <h2 id="results-title">Results</h2>
      <p>{verdictByText([...verdicts.values()])}</p>
      <List
        page={results}
        noun="result"
        caption="Scores by result"
        path={path}
        query={query}
        sort={sort}
        columns={[
          {
            name: "Sample",
            sortKey: "sample",
            cell: ({ id, sample_key, repeat }) => (
              <a href={`${path}/results/${id}`}>
                {shortKey(sample_key)}
                {run.pins.repeats > 1 && `, answer ${repeat + 1}`}
              </a>
            ),
          },
          { name: "Question", isLong: true, cell: ({ input }) => textOfInput(input) },
          { name: "Answer", isLong: true, cell: ({ output }) => answerText(output) },
          {
            name: "Verdict",
            sortKey: "verdict",
            cell: ({ passed }) => <span class={`state ${verdictKind(passed)}`}>{outcomeText(passed)}</span>,
          },
          ...[...metrics].map((name) => ({
            name: metricName(name),
            isNumeric: true,
            cell: (result: SampleResult) => (
              <ValuesByEvaluator
                values={counted(result)
                  .filter(({ metric }) => metric === name)
                  .map(({ evaluator, value, criterion }) => ({
                    evaluator,
                    text: value === null ? "–" : valueText(value, criterion),
                  }))}
              />
            ),
          })),
          { name: "Labels", isNumeric: true, cell: ({ labels }) => labels.length },
        ]}
      />
    </section>
  );
};
