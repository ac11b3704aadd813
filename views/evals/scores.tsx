import type { Score } from "../../gateway/evals/contract";
import { Table } from "../ui/table";
import { Time } from "../ui/time";
import { metricName, scaleText, valueText, verdictKind, verdictText } from "./words";

/** The scores that count, each with what it means and why it is so. */
export const ScoreCards = ({ scores }: { scores: readonly Score[] }) => (
  <ul class="scores">
    {scores.map((score) => (
      <li class="card score">
        <h3>{metricName(score.metric)}</h3>
        <ScoreValue score={score} />
        <p>{score.state === "error" ? score.error?.message : score.reason}</p>
        <p class="fine">
          By {score.evaluator}
          {score.judge && ` on ${score.judge.model}`}
          {score.votes.length > 1 && `, votes ${score.votes.map(valueText).join(", ")}`}
        </p>
      </li>
    ))}
  </ul>
);

const ScoreValue = ({ score }: { score: Score }) => {
  const { metric, value, passed, criterion } = score;
  return (
    <>
      <p class="score-value">
        {value === null ? (
          <strong>–</strong>
        ) : (
          <>
            <strong>{valueText(value)}</strong>
            <meter
              class={verdictKind(passed)}
              min={criterion.scale.min}
              max={criterion.scale.max}
              value={value}
              aria-label={`${metricName(metric)} ${valueText(value)}`}
            ></meter>
          </>
        )}
        <span class={`state ${verdictKind(passed)}`}>{verdictText(score)}</span>
      </p>
      <p class="fine">{scaleText(criterion)}</p>
    </>
  );
};

/** Scores that are no part of the verdict: those alongside, and those that newer ones have replaced. */
export const OtherScores = ({ scores }: { scores: readonly Score[] }) =>
  scores.length === 0 ? null : (
    <details class="card fold">
      <summary>Other scores: alongside and earlier ones</summary>
      <p class="hint">They do not count for the verdict.</p>
      <Table
        caption="Other scores"
        rows={scores}
        columns={[
          { name: "Criterion", cell: ({ metric }) => metricName(metric) },
          { name: "Evaluator", cell: ({ evaluator }) => evaluator },
          { name: "Value", isNumeric: true, cell: ({ value }) => (value === null ? "–" : valueText(value)) },
          {
            name: "Verdict",
            cell: (score) => <span class={`state ${verdictKind(score.passed)}`}>{verdictText(score)}</span>,
          },
          { name: "Reason", isLong: true, cell: ({ reason, error }) => reason ?? error?.message ?? "" },
          { name: "Scored", cell: ({ scored_at }) => <Time at={new Date(scored_at)} /> },
        ]}
      />
    </details>
  );
