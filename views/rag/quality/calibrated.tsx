import type { Rate } from "../../../gateway/evals/statistics-contract";
import type { RagIndex } from "../../../gateway/rag/indexes/contract";
import type { IndexCalibration, ThresholdOutcome } from "../../../gateway/rag/quality/contract";
import { Table } from "../../ui/lists";
import { count } from "../../ui/parts";
import { percent, share } from "../words";
import { ThresholdCurve } from "./curve";

interface CalibratedProps {
  index: RagIndex;
  version: number;
  calibration: IndexCalibration;
}

/** How well one version finds documents, and the threshold that fits these questions. */
export const Calibrated = ({ index, version, calibration }: CalibratedProps) => {
  const { answerable, unanswerable, recall_at_k: recall, mrr, ndcg_at_k: ndcg, k } = calibration;
  const questions = `${count(answerable, "answerable question")}, ${unanswerable} unanswerable`;
  const rows: [name: string, rate: Rate | null, meaning: string][] = [
    [`Recall at ${k}`, recall, `Fraction of the relevant documents among the ${count(k, "best passage")}`],
    ["MRR", mrr, "1 if the first passage is from a relevant document, 1/2 if the second is, and so on"],
    [`nDCG at ${k}`, ndcg, "1 if all relevant documents come first"],
  ];
  return (
    <section class="card measured" aria-labelledby="measured-title">
      <h2 id="measured-title" tabindex={-1} autofocus>
        Version {version}: {questions}
      </h2>
      {answerable > 0 ? (
        <Table
          caption="Search quality"
          rows={rows}
          columns={[
            { name: "Metric", cell: ([name]) => name, note: ([, , meaning]) => meaning },
            { name: "Value", isNumeric: true, cell: ([, rate]) => share(rate?.value) },
            { name: "95 % interval", cell: ([, rate]) => intervalText(rate?.interval) },
          ]}
        />
      ) : (
        <p>Recall, MRR and nDCG require questions with a document.</p>
      )}
      <Threshold index={index} calibration={calibration} />
    </section>
  );
};

/** "0.812 to 0.934"; "–" if the data allow no interval. */
const intervalText = (interval: { low: number; high: number } | null | undefined): string =>
  interval ? `${share(interval.low)} to ${share(interval.high)}` : "–";

/** Minimum number of questions of each kind for a reliable threshold. */
const ENOUGH = 50;

const Threshold = ({ index, calibration }: Omit<CalibratedProps, "version">) => {
  const { curve, suggested, score } = calibration;
  if (!suggested || !score) {
    const reason =
      score === null
        ? "A threshold can’t be applied to keyword search. Choose hybrid search in the index’s settings."
        : "To get a suggested threshold, include questions that the documents answer and questions that they don’t.";
    return (
      <>
        <h3>Threshold</h3>
        <p>{reason}</p>
      </>
    );
  }
  const { threshold: own } = index.retrieval;
  const current = own?.score === score ? outcomeNear(curve, own.value) : undefined;
  const isSame = own?.score === score && own.value === suggested.threshold;
  const isAsGood =
    current?.false_answers === suggested.false_answers && current.false_refusals === suggested.false_refusals;
  const fewest = Math.min(calibration.answerable, calibration.unanswerable);
  return (
    <>
      <h3>Threshold</h3>
      {!isAsGood && <p>{outcomeText("A threshold of", suggested)}</p>}
      {current && own && !isSame && (
        <p>{outcomeText("The current threshold of", { ...current, threshold: own.value })}</p>
      )}
      <ThresholdCurve curve={curve} suggested={suggested.threshold} current={current && own?.value} />
      {isSame ? (
        <p>The index already uses this threshold.</p>
      ) : isAsGood ? (
        <p>{`The suggested ${suggested.threshold.toFixed(2)} does no better on these questions. Keep the current threshold.`}</p>
      ) : (
        <form method="post" action={`/rag/${index.id}/quality/apply`} class="form-end">
          <input type="hidden" name="score" value={score} />
          <input type="hidden" name="threshold" value={suggested.threshold} />
          <button type="submit">Use threshold {suggested.threshold.toFixed(2)}</button>
        </form>
      )}
      <p class="hint">
        {fewest < ENOUGH
          ? `A reliable threshold needs at least ${ENOUGH} questions of each kind. With ${fewest}, expect more errors on other questions.`
          : "The suggested threshold balances the two error rates best on these questions. Expect slightly more errors on others."}
      </p>
    </>
  );
};

/** The outcome at the nearest step: outcomes don't change outside the curve. */
const outcomeNear = (curve: readonly ThresholdOutcome[], value: number): ThresholdOutcome | undefined =>
  curve.toSorted((one, other) => Math.abs(one.threshold - value) - Math.abs(other.threshold - value))[0];

/** "A threshold of 0.52 answers 3 % of the unanswerable questions and refuses 7 % of the answerable ones." */
const outcomeText = (start: string, { threshold, false_answers, false_refusals }: ThresholdOutcome): string =>
  `${start} ${threshold.toFixed(2)} answers ${percent(false_answers)} of the unanswerable questions and refuses ${percent(false_refusals)} of the answerable ones.`;
