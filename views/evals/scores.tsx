import type { EvaluatorVerdict, RunPins, Score } from "../../gateway/evals/contract";
import { decidingScores, inRunOrder, type ScoresByEvaluator } from "../../gateway/evals/verdict";
import { Table } from "../ui/lists";
import { Time } from "../ui/parts";
import { listText, metricName, outcomeText, scaleText, valueText, verdictKind, verdictText } from "./words";

/** "judge@1 on smollm2-135m-instruct": an evaluator, and the model that it used as a judge. */
const evaluatorText = (evaluator: string, scores: readonly Score[]): string => {
  const model = scores.find(({ judge }) => judge)?.judge?.model;
  return model ? `${evaluator} on ${model}` : evaluator;
};

/** Names the evaluators that count towards a result's verdict, and those that are for comparison only. */
export const verdictByText = (verdicts: readonly EvaluatorVerdict[]): string => {
  const named = (role: EvaluatorVerdict["role"]) =>
    verdicts.flatMap((verdict) => (verdict.role === role ? [verdict.evaluator] : []));
  const [counted, compared] = [named("verdict"), named("comparison")];
  const by = counted.length === 0 ? "No evaluator counts towards the verdict" : `Verdict by ${listText(counted)}`;
  const all = counted.length > 1 ? ": all of them must pass" : "";
  return `${by}${all}.${compared.length > 0 ? ` Comparison only: ${listText(compared)}.` : ""}`;
};

interface EvaluatorScoresProps extends Pick<ScoresByEvaluator<Score>, "evaluator" | "scores"> {
  verdict: EvaluatorVerdict | undefined;
}

/** One evaluator's scores that count towards the verdict, each with its scale and reason. */
export const EvaluatorScores = ({ evaluator, scores, verdict }: EvaluatorScoresProps) => (
  <section class="by-evaluator" aria-label={`Scores by ${evaluator}`}>
    <h3>
      {evaluatorText(evaluator, scores)}
      {verdict && <span class={`state ${verdictKind(verdict.passed)}`}>{outcomeText(verdict.passed)}</span>}
      {verdict?.overall != null && <span class="fine">Overall {valueText(verdict.overall)}</span>}
    </h3>
    <ul class="scores">
      {scores.map((score) => (
        <li class="card score">
          <h4>{metricName(score.metric)}</h4>
          <ScoreValue score={score} />
          <p>{score.state === "error" ? score.error?.message : score.reason}</p>
          {score.votes.length > 1 && (
            <p class="fine">Votes: {score.votes.map((vote) => valueText(vote, score.criterion)).join(", ")}</p>
          )}
        </li>
      ))}
    </ul>
  </section>
);

const ScoreValue = ({ score }: { score: Score }) => {
  const { metric, evaluator, value, passed, criterion } = score;
  return (
    <>
      <p class="score-value">
        {value === null ? (
          <strong>–</strong>
        ) : (
          <>
            <strong>{valueText(value, criterion)}</strong>
            <meter
              class={verdictKind(passed)}
              min={criterion.scale.min}
              max={criterion.scale.max}
              value={value}
              aria-label={`${metricName(metric)} by ${evaluator}: ${valueText(value, criterion)}`}
            ></meter>
          </>
        )}
        <span class={`state ${verdictKind(passed)}`}>{verdictText(score)}</span>
      </p>
      <p class="fine">{scaleText(criterion)}</p>
    </>
  );
};

/** Scores excluded from the verdict: those of shadow evaluators, and those that newer scores have replaced. */
export const ExcludedScores = ({ scores, pins }: { scores: readonly Score[]; pins: RunPins }) => {
  const counted = new Set(decidingScores(scores));
  const excluded = inRunOrder(
    scores.filter((score) => !counted.has(score)),
    pins,
  );
  if (excluded.length === 0) return null;
  return (
    <details class="card fold">
      <summary>Scores excluded from the verdict</summary>
      <p class="hint">Shadow evaluators score for comparison only. A newer score replaces an earlier one.</p>
      <Table
        caption="Scores excluded from the verdict"
        rows={excluded}
        columns={[
          { name: "Criterion", cell: ({ metric }) => metricName(metric) },
          { name: "Evaluator", cell: (score) => evaluatorText(score.evaluator, [score]) },
          { name: "Role", cell: ({ shadow }) => (shadow ? "Comparison only" : "Replaced") },
          {
            name: "Score",
            isNumeric: true,
            cell: ({ value, criterion }) => (value === null ? "–" : valueText(value, criterion)),
          },
          {
            name: "Verdict",
            cell: (score) => <span class={`state ${verdictKind(score.passed)}`}>{verdictText(score)}</span>,
          },
          { name: "Reason", isLong: true, cell: ({ reason, error }) => reason ?? error?.message ?? "" },
          { name: "Scored", cell: ({ scored_at }) => <Time at={scored_at} /> },
        ]}
      />
    </details>
  );
};

/** A table cell with the values of several evaluators, each with its evaluator's name. */
export const ValuesByEvaluator = ({ values }: { values: readonly { evaluator: string; text: string }[] }) => (
  <ul class="values">
    {values.map(({ evaluator, text }) => (
      <li>
        <span class="fine">{evaluator}</span> {text}
      </li>
    ))}
  </ul>
);
