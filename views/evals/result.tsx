import type { Child } from "hono/jsx";
import { textOfInput } from "../../gateway/datasets/content";
import type { RunInfo, SampleResult, Score } from "../../gateway/evals/contract";
import { criteriaOfScores, type ScoresByEvaluator, scoresByEvaluator } from "../../gateway/evals/verdict";
import type { RetrievalReport } from "../../gateway/retrieval-contract";
import { type Frame, may } from "../layout";
import { score } from "../rag/words";
import type { Problems } from "../ui/fields";
import { Texts } from "../ui/parts";
import { Calls } from "./calls";
import { type ClaimsByEvaluator, ClaimTable, ClaimTabs, MarkedAnswer } from "./claims";
import { type FilledLabels, GivenLabels, LabelForm } from "./label-form";
import { EvaluatorScores, ExcludedScores, verdictByText } from "./scores";
import { FAILURE_WORDS, outcomeText, verdictKind } from "./words";

const resultLabelPath = ({ id, run_id }: SampleResult): string => `/evals/${run_id}/results/${id}/labels`;

interface ResultViewProps extends Pick<Frame, "principal"> {
  run: RunInfo;
  result: SampleResult;
  /** Address of the result. */
  path: string;
  /** Address that the label form is sent to. */
  labelPath?: string;
  /** Evaluator whose claims are shown. */
  claims?: string;
  /** The fields of a rejected label form, and its errors. */
  filled?: FilledLabels;
  problems?: Problems;
  /** Shown first: the question with the expected and the actual answer. By default, they are shown below the scores. */
  children?: Child;
}

/** A result with its scores, answer, sample and human labels. */
export const ResultView = (props: ResultViewProps) => {
  const { run, result, claims, path, labelPath, filled, problems = {}, principal, children } = props;
  const groups = scoresByEvaluator(result.scores, run.pins);
  const own = result.labels.filter(({ labelled_by }) => labelled_by === principal?.keyId);
  return (
    <>
      {children}
      <Calls result={result} />
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
      <Answer result={result} groups={groups} chosen={claims} path={path} isShown={children !== undefined} />
      {result.output?.reasoning && (
        <details class="card fold">
          <summary>Reasoning before the answer</summary>
          <p class="verbatim" hx-ignore>
            {result.output.reasoning}
          </p>
        </details>
      )}
      <Given result={result} isShown={children !== undefined} />
      <section aria-labelledby="labels-title">
        <h2 id="labels-title">Human labels</h2>
        <GivenLabels labels={result.labels} criteria={criteriaOfScores(result.scores)} />
        {may({ principal }, "editor") && (
          <LabelForm {...{ result, own, filled, problems }} action={labelPath ?? resultLabelPath(result)} />
        )}
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
  /** The answer is already on the page, so it is only shown again with its claims. */
  isShown: boolean;
}

/** The answer with the claims of one evaluator: the chosen one, else the first that counts towards the verdict. */
const Answer = ({ result, groups, chosen, path, isShown }: AnswerProps) => {
  const text = result.output?.text ?? "";
  const all = groups.flatMap(({ evaluator, role, scores }): ClaimsByEvaluator[] => {
    const claims = scores.find((score) => score.claims.length > 0)?.claims;
    return claims ? [{ evaluator, isCounted: role === "verdict", claims }] : [];
  });
  const shown = all.find(({ evaluator }) => evaluator === chosen) ?? all.find(({ isCounted }) => isCounted) ?? all[0];
  if (isShown && !shown) return null;
  return (
    <section aria-labelledby="answer-title">
      <h2 id="answer-title">{isShown ? "Claims in the answer" : "Answer"}</h2>
      {shown && <ClaimTabs all={all} shown={shown} path={path} />}
      {text === "" ? (
        <p class="nothing">{result.output?.tool_calls?.length ? "The answer has no text." : "The answer is empty."}</p>
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

/**
 * The sample, with the contexts that the answer was scored against: the sample's, or the passages of an index. Only the
 * contexts, if question and reference answers are already on the page.
 */
const Given = ({ result, isShown }: { result: SampleResult; isShown: boolean }) => {
  const { input, references, contexts: given, output } = result;
  const contexts = output?.contexts ?? given;
  if (isShown && contexts.length === 0) return null;
  return (
    <section aria-labelledby="given-title">
      <h2 id="given-title">{isShown ? "Contexts" : "Question, reference answers and contexts"}</h2>
      <dl class="record">
        {!isShown && (
          <>
            <Texts name="Question" texts={[textOfInput(input)]} />
            <Texts name="Reference answers" texts={references} />
          </>
        )}
        {contexts.map((text, index) => (
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
};

/** "Leave rules, page 2, score 0.91": where an index found a context. */
const sourceText = (retrieval: RetrievalReport | undefined, context: number): string | undefined => {
  const chunk = retrieval?.chunks.find((each) => each.context === context);
  if (!chunk) return undefined;
  const { document_title: title, page, score: found } = chunk;
  return [title, page !== null && `page ${page}`, `score ${score(found)}`].filter(Boolean).join(", ");
};
