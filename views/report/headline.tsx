import type { Rate } from "../../gateway/evals/statistics-contract";
import { isPartial, passRateOf } from "../evals/words";
import { count, number } from "../ui/parts";
import { percent } from "../ui/quantities";
import { intervalText, type RunProps } from "./figures";

/** The pass rate in large type, with its interval, and how errors could change it. */
export const Headline = ({ run }: RunProps) => {
  const { verdict, progress, pins } = run;
  const rate = passRateOf(run);
  const missing = progress.total - progress.done;
  if (rate && isPartial(run)) {
    return (
      <section class="headline card" aria-label="Pass rate">
        <strong>
          {percent(rate.value)} <span>of {count(progress.judged, "result")} pass</span>
        </strong>
        <RateBar rate={rate} />
        <p>
          {count(missing, "result")} of the dataset’s last samples {missing === 1 ? "is" : "are"} missing, so the rate
          of all may differ. It has no interval for this reason.
        </p>
        <Errors run={run} />
      </section>
    );
  }
  if (!verdict || !rate) {
    return (
      <p class="headline card">
        <strong>No verdict</strong>
        {progress.done === 0 ? "No results yet." : "No result has a verdict, so there is no pass rate."}
      </p>
    );
  }
  const { interval, value } = rate;
  const { clusters } = verdict;
  return (
    <section class="headline card" aria-label="Pass rate">
      <strong>
        {percent(value)} <span>of {count(verdict.n, "sample")} pass</span>
      </strong>
      <RateBar rate={rate} />
      <p>
        {interval
          ? `95 % interval: ${intervalText(interval, percent)}.`
          : "No interval: all samples belong to one group."}
        {clusters !== null && ` The samples form ${count(clusters, "group")}.`}
        {pins.repeats > 1 && " The answers to one sample are averaged first."}
      </p>
      <Errors run={run} />
    </section>
  );
};

/** How errors could change the pass rate. */
const Errors = ({ run: { progress, verdict } }: RunProps) => {
  const { errors, done } = progress;
  if (errors === 0 || !verdict?.bounds) return null;
  const { worst, best } = verdict.bounds;
  const they = errors === 1 ? "it" : "they all";
  return (
    <p>
      {number(errors)} of {count(done, "result")} {errors === 1 ? "is an error" : "are errors"}. The pass rate would be{" "}
      {exact(worst)} if {they} failed, and {exact(best)} if {they} passed.
    </p>
  );
};

const RateBar = ({ rate: { value, interval } }: { rate: Rate }) => {
  const x = (share: number) => Math.round(share * 1000);
  return (
    <svg class="range" viewBox="0 0 1000 24" preserveAspectRatio="none" aria-hidden="true">
      <path class="track" d="M0 12H1000" />
      {interval && (
        <path class="interval" d={`M${x(interval.low)} 12H${Math.max(x(interval.high), x(interval.low) + 2)}`} />
      )}
      <path class="value" d={`M${x(value)} 2V22`} vector-effect="non-scaling-stroke" />
    </svg>
  );
};

/** With one decimal place, because bounds are often close to each other. */
const exact = (share: number): string => `${(100 * share).toFixed(1)} %`;
