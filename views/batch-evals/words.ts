import type { BatchEval } from "../../gateway/batch-evals/contract";
import type { Run } from "../../gateway/evals/contract";
import type { Rate } from "../../gateway/evals/statistics-contract";
import { isPartial } from "../evals/words";
import { count, number } from "../ui/parts";
import { percent, timeSpan } from "../ui/quantities";

export const STATE_WORDS: Readonly<Record<Run["state"], string>> = {
  queued: "Queued",
  running: "Running",
  paused: "Paused",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
};

/** Class of `.state` for the state of a run. */
export const STATE_LOOKS: Readonly<Record<Run["state"], string>> = {
  queued: "off",
  running: "busy",
  paused: "fair",
  completed: "good",
  failed: "bad",
  cancelled: "off",
};

/** A worker may still change the run. */
export const isOpen = ({ state }: Pick<Run, "state">): boolean => state === "queued" || state === "running";

/** No worker changes the run until someone resumes it. */
export const isEnded = ({ state }: Pick<Run, "state">): boolean =>
  state === "completed" || state === "failed" || state === "cancelled";

/** "65 % to 78 %"; undefined if the data don't allow an interval. */
export const intervalText = (rate: Rate | null | undefined): string | undefined =>
  rate?.interval ? `${percent(rate.interval.low)} to ${percent(rate.interval.high)}` : undefined;

/** "144 of 200 answers passed. The true pass rate is between 65 % and 78 % (95 % confidence)." */
export const verdictSentence = (run: Run): string => {
  const { judged, done, total } = run.progress;
  if (run.passed === null) return isOpen(run) ? "No answer has a verdict yet." : "No answer has a verdict.";
  const passed = `${number(Math.round(run.passed * judged))} of ${count(judged, "answer")} passed.`;
  if (isOpen(run)) return `So far, ${passed} Samples run in the dataset’s order, so the rate may change.`;
  if (isPartial(run)) {
    return `${passed} ${count(total - done, "result")} of the dataset’s last samples are missing, so the rate of all may differ.`;
  }
  const range = run.verdict?.pass_rate?.interval;
  if (!range) return passed;
  return `${passed} The true pass rate is between ${percent(range.low)} and ${percent(range.high)} (95 % confidence).`;
};

/** Errors of a run by what can help: running the samples again, scoring the answers again, or other samples. */
export const errorsOf = ({ progress, failures }: Pick<Run, "progress" | "failures">) => {
  const { invalid_sample: invalid = 0, judge_error: unscored = 0 } = failures;
  return { retryable: Math.max(0, progress.errors - invalid), unscored, invalid };
};

/** How errors could change the pass rate; undefined without errors. */
export const errorSentence = (run: Run): string | undefined => {
  const { verdict } = run;
  const [errors, { unscored }] = [run.progress.errors, errorsOf(run)];
  if (errors + unscored === 0) return undefined;
  const parts = [
    errors > 0 && `${count(errors, "result")} ${errors === 1 ? "is an error" : "are errors"}`,
    unscored > 0 && `${count(unscored, "answer")} could not be scored`,
  ].filter(Boolean);
  const rest = parts.length > 1 ? ". They are" : errors + unscored === 1 ? " and is" : " and are";
  const are = `${parts.join(", and ")}${rest} not counted.`;
  const { bounds } = verdict ?? {};
  if (!bounds || percent(bounds.worst) === percent(bounds.best)) return are;
  const they = errors + unscored === 1 ? "it" : "they all";
  return `${are} The pass rate would be ${percent(bounds.worst)} if ${they} failed, and ${percent(bounds.best)} if ${they} passed.`;
};

/** How to fix the errors of an ended run that its buttons can't fix; undefined if there are none. */
export const adviceFor = (run: Run): string | undefined => {
  const { invalid } = errorsOf(run);
  if (invalid === 0 || !isEnded(run)) return undefined;
  const [whose, them] = invalid === 1 ? ["its sample", "it"] : ["their samples", "them"];
  return `Running ${count(invalid, "result")} again can’t help, because ${whose} can’t be evaluated. Correct ${them} in the dataset and start a new run.`;
};

/** "120 of 200 results · 3.2 per second · about 25 s left". A run that waits has neither a speed nor a remaining time. */
export const progressText = ({ state, progress, waiting }: Run & Partial<Pick<BatchEval, "waiting">>): string => {
  const { done, total, samples_per_second: rate, eta_seconds: eta } = progress;
  const parts = [`${number(done)} of ${count(total, "result")}`];
  if (state === "running" && !waiting && rate > 0)
    parts.push(`${rate < 10 ? rate.toFixed(1) : Math.round(rate)} per second`);
  if (state === "running" && eta !== null) parts.push(`about ${timeSpan(eta)} left`);
  if (state === "queued") parts.push("waiting for a worker");
  if (waiting) parts.push("waiting");
  return parts.join(" · ");
};

/** "smollm2-135m-instruct, bakery@2", "Stored outputs", "smollm2-135m-instruct, documents of handbook". */
export const targetName = ({ pins: { target, index_name: name } }: Pick<Run, "pins">): string => {
  if (target.kind === "stored") return "Stored outputs";
  const index = target.kind === "rag" ? `documents of ${name ?? target.index}` : undefined;
  return [target.model ?? "default model", target.prompt, index].filter(Boolean).join(", ");
};

/** Number of samples of a run, and of answers for each. */
export const sizeText = ({ pins, progress }: BatchEval): string => {
  const { repeats } = pins;
  if (repeats === 1) return count(progress.total, "sample");
  return `${count(Math.round(progress.total / repeats), "sample")}, ${repeats} answers each`;
};
