import type { ThresholdOutcome } from "../../../gateway/rag/quality/contract";
import { Table } from "../../ui/lists";
import { percent } from "../words";

const WIDTH = 100;
const HEIGHT = 100;
const TICKS = 5;

interface CurveProps {
  curve: readonly ThresholdOutcome[];
  suggested: number;
  /** The index's threshold, if it applies to the same score. */
  current: number | undefined;
}

/**
 * False answers and false refusals at each threshold, as a picture and as a table. The picture is stretched to its box,
 * so its labels are HTML around it.
 */
export const ThresholdCurve = ({ curve, suggested, current }: CurveProps) => {
  const [first = 0, last = 1] = [curve[0]?.threshold, curve.at(-1)?.threshold];
  const x = (threshold: number) =>
    (Math.min(1, Math.max(0, (threshold - first) / (last - first || 1))) * WIDTH).toFixed(2);
  const line = (rate: "false_answers" | "false_refusals") =>
    curve.map((outcome) => `${x(outcome.threshold)},${((1 - outcome[rate]) * HEIGHT).toFixed(2)}`).join(" ");
  const ticks = Array.from({ length: TICKS }, (_, at) => first + ((last - first) * at) / (TICKS - 1));
  const marker = (threshold: number, look: string) => (
    <line class={look} x1={x(threshold)} x2={x(threshold)} y1={0} y2={HEIGHT} />
  );
  return (
    <>
      <figure class="curve">
        <figcaption class="curve-legend">
          <Key look="false-answers" text="False answers" />
          <Key look="false-refusals" text="False refusals" />
          <Key look="suggested" text={`Suggested: ${suggested.toFixed(2)}`} />
          {current !== undefined && current !== suggested && <Key look="current" text={`Now: ${current.toFixed(2)}`} />}
        </figcaption>
        <div class="curve-y fine" aria-hidden="true">
          <span>100 %</span>
          <span>50 %</span>
          <span>0 %</span>
        </div>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label="False answers fall and false refusals rise with the threshold. The table below has the figures."
        >
          <line class="grid" x1={0} x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} />
          {current !== undefined && current !== suggested && marker(current, "current")}
          {marker(suggested, "suggested")}
          <polyline class="false-answers" points={line("false_answers")} />
          <polyline class="false-refusals" points={line("false_refusals")} />
        </svg>
        <div class="curve-x fine" aria-hidden="true">
          {ticks.map((threshold) => (
            <span>{threshold.toFixed(2)}</span>
          ))}
        </div>
        <p class="curve-name fine" aria-hidden="true">
          Threshold
        </p>
      </figure>
      <details class="fold">
        <summary>Show the figures</summary>
        <Table
          caption="Error rates by threshold"
          rows={curve}
          columns={[
            { name: "Threshold", isNumeric: true, cell: ({ threshold }) => threshold.toFixed(2) },
            { name: "False answers", isNumeric: true, cell: ({ false_answers }) => percent(false_answers) },
            { name: "False refusals", isNumeric: true, cell: ({ false_refusals }) => percent(false_refusals) },
          ]}
        />
      </details>
    </>
  );
};

const Key = ({ look, text }: { look: string; text: string }) => (
  <span>
    <svg viewBox="0 0 24 12" aria-hidden="true" focusable="false">
      <line class={look} x1={0} x2={24} y1={6} y2={6} />
    </svg>
    {text}
  </span>
);
