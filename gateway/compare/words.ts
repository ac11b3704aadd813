import type { Interval } from "../evals/statistics-contract";
import type { MetricComparison, Reason } from "./contract";
import { VERDICT } from "./contract";
import type { Scored } from "./table";

/** "81.0 %" */
export const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

/** "7.2 points", "1.0 point" */
export const points = (share: number): string => `${(share * 100).toFixed(1)} points`;

/** "0.713", "0.0042" */
export const decimal = (value: number): string =>
  value !== 0 && Math.abs(value) < 0.01 ? value.toPrecision(2) : value.toFixed(3);

/** "+3.1 points", "−0.02", and without a sign "0.0 points". */
const signed = (text: string): string => {
  const size = text.replace(/^-/, "");
  return Number.parseFloat(size) === 0 ? size : `${size === text ? "+" : "−"}${size}`;
};

/** "8.4 ms", "350 ms", "60 s", "1.234 s" */
export const duration = (ms: number): string => {
  if (ms >= 1000) return `${Number((ms / 1000).toFixed(3))} s`;
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
};

export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? "" : "s"}`;

/** "3 samples without a value"; `isPartial`: some of them only lack the value of a repeat. */
export const withoutValue = (samples: number, isPartial: boolean): string =>
  `${count(samples, "sample")} ${isPartial ? "with missing values" : "without a value"}`;

/** "p 0.29", "p < 0.001" */
const pText = (p: number): string => (p < 0.001 ? "p < 0.001" : `p ${p < 0.095 ? p.toPrecision(2) : p.toFixed(2)}`);

const amount = ({ of }: Pick<MetricComparison, "of">, value: number): string =>
  of === "pass_rate" ? percent(value) : decimal(value);

const change = ({ of }: Pick<MetricComparison, "of">, value: number): string =>
  signed(of === "pass_rate" ? points(value) : decimal(value));

/** "−1.5 to +8.2": the bounds of a difference, without unit for rates. */
const boundsText = ({ of }: Pick<MetricComparison, "of">, { low, high }: Interval): string =>
  [low, high].map((bound) => signed(of === "pass_rate" ? (bound * 100).toFixed(1) : decimal(bound))).join(" to ");

/** "pass rate", "mean correctness" */
export const figureName = ({ metric, of }: Pick<MetricComparison, "metric" | "of">): string => {
  if (metric === VERDICT) return "pass rate";
  return of === "pass_rate" ? `pass rate of ${metric}` : `mean ${metric}`;
};

/** "the pass rate is 84.1 % and was 81.0 % on 195 samples (+3.1 points, 95 % interval −1.5 to +8.2, p 0.29 adjusted for all tests)" */
export const describeDifference = (compared: MetricComparison): string => {
  const { n, baseline, value, difference, interval, p, p_adjusted: adjusted } = compared;
  const [before = 0, now = 0, by = 0] = [baseline ?? 0, value ?? 0, difference ?? 0];
  const range = interval ? `, 95 % interval ${boundsText(compared, interval)}` : "";
  // Adjusting leaves the interval as it is, so a difference may be not shown although the interval excludes 0.
  const several = p !== adjusted ? " adjusted for all tests" : "";
  const detail = `${change(compared, by)}${range}, ${pText(adjusted ?? 1)}${several}`;
  return `the ${figureName(compared)} is ${amount(compared, now)} and was ${amount(compared, before)} on ${count(n, "sample")} (${detail})`;
};

/** "This comparison can detect differences of 6.7 points." */
export const describeDetectable = (compared: MetricComparison): string => {
  const { detectable_difference: detectable, of } = compared;
  if (detectable === null) return "";
  return ` This comparison can detect differences of ${of === "pass_rate" ? points(detectable) : decimal(detectable)}.`;
};

const reason = (code: Reason["code"], message: string): Reason => ({ code, message });

/** Why the verdicts of two runs that an evaluator scored alike can't be compared: it decides only those of one run. */
export const whyRolesDiffer = ({ evaluator, decides }: Scored): Reason => {
  const [one, other] = decides ? ["the baseline", "this run"] : ["this run", "the baseline"];
  return reason(
    "evaluator_differs",
    `${evaluator} decides the verdicts of ${one}, but in ${other} its scores are for comparison only. Compare the runs by a criterion instead.`,
  );
};

/** Why the values of a criterion, or of the verdicts, can't be compared. */
export const whyScalesDiffer = (metric: string, baseline: Scored | undefined, run: Scored | undefined): Reason => {
  if (!baseline || !run) {
    const [has, hasNot] = baseline ? ["the baseline", "this run"] : ["this run", "the baseline"];
    const evaluator = (baseline ?? run)?.evaluator ?? "an evaluator";
    return reason(
      "not_scored",
      `${evaluator} scored ${metric} in ${has} but not in ${hasNot}. To compare them, recompute the scores of ${hasNot}.`,
    );
  }
  const [before, now] = [baseline.evaluator, run.evaluator];
  if (before !== now) {
    return reason(
      "evaluator_differs",
      `The evaluator versions differ: ${before} scored the baseline, and ${now} scored this run. Recompute the scores of one run with the other's version.`,
    );
  }
  if (baseline.criterionHash !== run.criterionHash) {
    return reason("evaluator_differs", `The definition of ${metric} differs: its wording, scale or threshold changed.`);
  }
  if (baseline.judge !== run.judge) {
    return reason(
      "evaluator_differs",
      `The judges differ: ${baseline.judge ?? "none"} for the baseline, ${run.judge ?? "none"} for this run.`,
    );
  }
  return reason("evaluator_differs", `${now} changed between the two runs, so its scores can't be compared.`);
};
