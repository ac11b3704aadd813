import { textOfInput } from "../../gateway/datasets/content";
import type { Run, RunInfo, SampleResult, Score } from "../../gateway/evals/contract";
import {
  criteriaOfScores,
  decidingScores,
  inRunOrder,
  type ScoresByEvaluator,
  scoresByEvaluator,
} from "../../gateway/evals/verdict";
import type { NumberedPage, NumberedQuery } from "../../gateway/paging";
import type { RetrievalReport } from "../../gateway/retrieval-contract";
import { type Frame, may, Screen } from "../layout";
import { score } from "../rag/words";
import { Form, fieldsOf, type Problems } from "../ui/fields";
import { List, withQuery } from "../ui/lists";
import { ButtonLink, shortKey, Texts, Time } from "../ui/parts";
import { type ClaimsByEvaluator, ClaimTable, ClaimTabs, MarkedAnswer } from "./claims";
import { type FilledLabels, GivenLabels, LabelForm } from "./label-form";
import { Metadata } from "./metadata";
import { EvaluatorScores, ExcludedScores, ValuesByEvaluator, verdictByText } from "./scores";
import { FAILURE_WORDS, metricName, outcomeText, valueText, verdictKind } from "./words";

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

type ViewProps = Pick<ResultPageProps, "run" | "result" | "claims" | "filled" | "problems" | "principal"> & {
  /** Address of the result. */
  path: string;
};

const ResultView = ({ run, result, claims, path, filled, problems = {}, principal }: ViewProps) => {
  const groups = scoresByEvaluator(result.scores, run.pins);
  const own = result.labels.filter(({ labelled_by }) => labelled_by === principal?.keyId);
  return (
    <>
      <Outcome result={result} />
      <section aria-labelledby="scores-title">
        <h2 id="scores-title">Scores</h2>
        {groups
          .filter(({ role }) => role === "verdict")
          .map((group) => (
            <EvaluatorScores
              {...group}
              verdict={result.verdicts.find(({ evaluator }) => evaluator === group.evaluator)}
            />
          ))}
        <p class="hint">Overall is the weighted mean of an evaluator’s scores. 1 is best.</p>
        <ExcludedScores scores={result.scores} pins={run.pins} />
      </section>
      <Answer result={result} groups={groups} chosen={claims} path={path} />
      <Given result={result} />
      <section aria-labelledby="labels-title">
        <h2 id="labels-title">Human labels</h2>
        <GivenLabels labels={result.labels} criteria={criteriaOfScores(result.scores)} />
        {may({ principal }, "editor") && <LabelForm result={result} own={own} filled={filled} problems={problems} />}
      </section>
    </>
  );
};

const Outcome = ({ result: { passed, failure, verdicts } }: { result: SampleResult }) => (
  <p class="card outcome">
    <span class={`state ${verdictKind(passed)}`}>
      {outcomeText(passed)}
      {failure && `: ${FAILURE_WORDS[failure]}`}
    </span>
    <span class="fine">{verdictByText(verdicts)}</span>
  </p>
);

interface AnswerProps {
  result: SampleResult;
  groups: readonly ScoresByEvaluator<Score>[];
  /** Evaluator whose claims the user chose. */
  chosen?: string;
  path: string;
}

/** The answer with the claims of one evaluator: the chosen one, else the first that counts towards the verdict. */
const Answer = ({ result, groups, chosen, path }: AnswerProps) => {
  const text = result.output?.text ?? "";
  const all = groups.flatMap(({ evaluator, role, scores }): ClaimsByEvaluator[] => {
    const claims = scores.find((score) => score.claims.length > 0)?.claims;
    return claims ? [{ evaluator, isCounted: role === "verdict", claims }] : [];
  });
  const shown = all.find(({ evaluator }) => evaluator === chosen) ?? all.find(({ isCounted }) => isCounted) ?? all[0];
  return (
    <section aria-labelledby="answer-title">
      <h2 id="answer-title">Answer</h2>
      {shown && <ClaimTabs all={all} shown={shown} path={path} />}
      {text === "" ? (
        <p class="nothing">The answer is empty.</p>
      ) : (
        <MarkedAnswer text={text} claims={shown?.claims ?? []} />
      )}
      {shown && (
        <>
          <h3>Claims by {shown.evaluator}</h3>
          <ClaimTable {...shown} />
        </>
      )}
    </section>
  );
};

/** The sample, with the contexts that the answer was scored against: the sample's, or the passages of an index. */
const Given = ({ result: { input, references, contexts, output } }: { result: SampleResult }) => (
  <section aria-labelledby="given-title">
    <h2 id="given-title">Question, reference answers and contexts</h2>
    <dl class="record">
      <Texts name="Question" texts={[textOfInput(input)]} />
      <Texts name="Reference answers" texts={references} />
      {(output?.contexts ?? contexts).map((text, index) => (
        <Texts
          name={`Context ${index + 1}`}
          id={`context-${index + 1}`}
          texts={[text]}
          note={sourceText(output?.retrieval, index + 1)}
        />
      ))}
    </dl>
  </section>
);

/** "Leave rules, page 2, score 0.91": where an index found a context. */
const sourceText = (retrieval: RetrievalReport | undefined, context: number): string | undefined => {
  const chunk = retrieval?.chunks.find((each) => each.context === context);
  if (!chunk) return undefined;
  const { document_title: title, page, score: found } = chunk;
  return [title, page !== null && `page ${page}`, `score ${score(found)}`].filter(Boolean).join(", ");
};

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
                {run.pins.repeats > 1 && `, repeat ${repeat + 1}`}
              </a>
            ),
          },
          { name: "Question", isLong: true, cell: ({ input }) => textOfInput(input) },
          { name: "Answer", isLong: true, cell: ({ output }) => output?.text ?? "" },
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
