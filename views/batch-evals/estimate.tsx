import type { BatchEvalPlan } from "../../gateway/batch-evals/contract";
import { count, Facts, number } from "../ui/parts";
import { compact, percent, timeSpan } from "../ui/quantities";

/** An estimate of the form's run, or a problem if it can't be estimated. Neither before the first estimate. */
export interface EstimateProps {
  plan?: BatchEvalPlan;
  problem?: string;
}

/** The expected cost of the form's run, and the smallest change it can detect. Updated when a field changes. */
export const Estimate = ({ plan, problem }: EstimateProps) => (
  <section
    id="estimate"
    class="card estimate"
    aria-labelledby="estimate-title"
    hx-post="/batch-evals/estimate"
    hx-trigger="load, input from:#new-run delay:500ms"
    hx-swap="innerMorph"
    hx-sync="this:replace"
    data-background
  >
    <EstimateContent plan={plan} problem={problem} />
  </section>
);

export const EstimateContent = ({ plan, problem }: EstimateProps) => (
  <>
    <h2 id="estimate-title">Estimate</h2>
    <div role="status">
      {plan ? (
        <>
          <p>{sizeText(plan)}</p>
          <Facts
            look="facts-list"
            rows={[
              ["Calls to the model", number(plan.generations)],
              ["Calls to judges", plan.judge_calls > 0 && `at least ${number(plan.judge_calls)}`],
              ["Tokens", plan.estimated_tokens > 0 && `about ${compact(plan.estimated_tokens)}`],
              ["Time", timeText(plan)],
            ]}
          />
          <p>{detectableText(plan)}</p>
          {plan.warnings.length > 0 && (
            <ul class="warnings">
              {plan.warnings.map((warning) => (
                <li>{warning}</li>
              ))}
            </ul>
          )}
        </>
      ) : (
        <p class="nothing">
          {problem ??
            "Choose a dataset to see the calls, tokens and time that the run needs, and the smallest change that it can detect."}
        </p>
      )}
    </div>
  </>
);

const sizeText = ({ samples, results }: BatchEvalPlan): string =>
  results === samples ? count(samples, "sample") : `${count(samples, "sample")}, ${count(results, "answer")}`;

const timeText = ({ generations, estimated_seconds: seconds }: BatchEvalPlan): string => {
  if (generations === 0) return "no model is called";
  return seconds === null ? "not known before the first run with this model" : `about ${timeSpan(seconds)}`;
};

/** The smallest detectable change in words. */
const detectableText = ({ detectable_difference: difference }: BatchEvalPlan): string =>
  difference === null
    ? "There are too few samples to tell a real difference between runs from chance."
    : `If another run’s pass rate differs by ${percent(difference).replace(" %", "")} percentage points or more, the difference is unlikely to be chance. To detect smaller differences, use more samples.`;
