import type { Criterion, Score } from "../../gateway/evals/contract";
import { Table } from "../ui/table";
import { Time } from "../ui/time";
import { metricName, scaleText, valueText, verdictKind, verdictText } from "./words";

interface ScoresProps {
  scores: readonly Score[];
  criterionOf(metric: string): Criterion | undefined;
}

/** The scores that count, each with what it means and why it is so. */
export const ScoreCards = ({ scores, criterionOf }: ScoresProps) => (
  <ul class="scores">
    {scores.map((score) => (
      <li class="card score">
        <h3>{metricName(score.metric)}</h3>
        <ScoreValue score={score} criterion={criterionOf(score.metric)} />
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

const ScoreValue = ({ score, criterion }: { score: Score; criterion: Criterion | undefined }) => (
  <>
    <p class="score-value">
      {score.value === null ? (
        <strong>–</strong>
      ) : (
        <>
          <strong>{valueText(score.value)}</strong>
          {criterion && (
            <meter
              class={verdictKind(score.passed)}
              min={criterion.scale.min}
              max={criterion.scale.max}
              value={score.value}
              aria-label={`${metricName(score.metric)} ${valueText(score.value)}`}
            ></meter>
          )}
        </>
      )}
      <span class={`state ${verdictKind(score.passed)}`}>{verdictText(score)}</span>
    </p>
    {criterion && <p class="fine">{scaleText(criterion)}</p>}
  </>
);

/** Scores that never are the verdict: shadows, and those of earlier versions. */
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
