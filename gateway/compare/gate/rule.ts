import { AppError } from "../../../lib/errors";
import { VERDICT } from "../contract";
import type { GateRule } from "./contract";

/* Rules as text: "pass_rate >= 0.8", "judge@1/faithfulness.mean >= baseline - 0.02". */

const FIGURES: readonly GateRule["of"][] = [
  "pass_rate",
  "mean",
  "errors",
  "latency_p50",
  "latency_p95",
  "ttft_p50",
  "ttft_p95",
];
const SHARES: ReadonlySet<GateRule["of"]> = new Set(["pass_rate", "errors"]);
const OF_SAMPLES: ReadonlySet<GateRule["of"]> = new Set(["pass_rate", "mean"]);

const RULE =
  /^(?:(?:(?<evaluator>[a-z][a-z0-9_-]*@\d+)\/)?(?<metric>[a-z][a-z0-9_]*)\.)?(?<of>[a-z0-9_]+)\s*(?<operator>>=|<=)\s*(?<baseline>baseline\s*(?<sign>[+-])?)?\s*(?:(?<bound>\d+(?:\.\d+)?)\s*(?<unit>%|ms|s)?)?$/;

const SCALE: Readonly<Record<string, number>> = { "%": 0.01, s: 1000, ms: 1 };

const unreadable = (text: string): AppError =>
  new AppError(
    "invalid_request",
    // A shell takes an unquoted > or < as a redirection.
    `"${text}" is not a gate rule.${/[<>]/.test(text) ? "" : " Write it in quotes."} Examples: pass_rate>=0.8, correctness.mean>=0.7, judge@1/faithfulness.pass_rate>=90%, pass_rate>=baseline-0.02, errors<=1%, latency_p95<=2000ms.`,
  );

/** Parses a rule. Throws invalid_request with examples. */
export const parseRule = (text: string): GateRule => {
  const { evaluator, metric, of, operator, baseline, sign, bound, unit } = RULE.exec(text.trim())?.groups ?? {};
  const figure = FIGURES.find((each) => each === of);
  if (!figure) throw unreadable(text);
  const named = { of: figure, ...(metric && metric !== VERDICT && { metric }), ...(evaluator && { evaluator }) };
  const value = bound === undefined ? undefined : Number((Number(bound) * (SCALE[unit ?? ""] ?? 1)).toPrecision(12));
  if (baseline === undefined) {
    if (value === undefined) throw unreadable(text);
    return operator === ">=" ? { ...named, at_least: value } : { ...named, at_most: value };
  }
  if ((value === undefined) !== (sign === undefined)) throw unreadable(text);
  // "At least baseline + 0.02" would require an improvement. Rules can only limit a regression.
  if (sign !== undefined && (sign === "-") !== (operator === ">=")) throw unreadable(text);
  return { ...named, max_regression: value ?? 0 };
};

/** A bound with its unit, as `parseRule` reads it: "80%", "350ms", "60s". Means have no unit. */
const boundText = (of: GateRule["of"], bound: number): string => {
  const write = (value: number, unit: string) => `${Number(value.toPrecision(12))}${unit}`;
  if (SHARES.has(of)) return write(bound * 100, "%");
  if (OF_SAMPLES.has(of)) return `${bound}`;
  return bound >= 1000 ? write(bound / 1000, "s") : write(bound, "ms");
};

/** A rule as text. `isLowerBetter` decides on which side of the baseline a regression is. */
export const ruleText = (rule: GateRule, isLowerBetter = false): string => {
  const { of, metric, evaluator, at_least, at_most, max_regression } = rule;
  const name = `${evaluator ? `${evaluator}/` : ""}${metric ? `${metric}.` : evaluator ? `${VERDICT}.` : ""}${of}`;
  if (at_least !== undefined) return `${name} >= ${boundText(of, at_least)}`;
  if (at_most !== undefined) return `${name} <= ${boundText(of, at_most)}`;
  const [operator, sign] = isLowerBetter ? ["<=", "+"] : [">=", "-"];
  return `${name} ${operator} baseline${max_regression ? ` ${sign} ${boundText(of, max_regression)}` : ""}`;
};

/** A problem that the schema of a rule can't express; undefined if there is none. */
const problemOf = ({ of, metric, evaluator, at_least, at_most, max_regression }: GateRule): string | undefined => {
  const bounds = [at_least, at_most, max_regression].filter((bound) => bound !== undefined);
  if (bounds.length !== 1) return "Give exactly one of `at_least`, `at_most` and `max_regression`.";
  const isOfSamples = OF_SAMPLES.has(of);
  if (!isOfSamples && (metric !== undefined || evaluator !== undefined))
    return `\`metric\` and \`evaluator\` can only be used with pass_rate and mean, not with ${of}.`;
  if (!isOfSamples && at_most === undefined) return `\`${of}\` needs \`at_most\`.`;
  if (of === "mean" && (metric === undefined || metric === VERDICT))
    return "`mean` needs a criterion as its `metric`, for example correctness.";
  if (evaluator !== undefined && (metric === undefined || metric === VERDICT))
    return "`evaluator` needs a criterion as `metric`, because a verdict depends on all evaluators.";
  const [bound = 0] = bounds;
  if (SHARES.has(of) && (bound < 0 || bound > 1))
    return `${bound} is not a share. Use 0 to 1, for example 0.8 for 80 %.`;
  return undefined;
};

/** Throws invalid_request for the first invalid rule. */
export const checkRules = (rules: readonly GateRule[]): void => {
  for (const [i, rule] of rules.entries()) {
    const problem = problemOf(rule);
    if (problem) throw new AppError("invalid_request", problem, { param: `rules.${i}` });
  }
};
