import { AppError } from "../../../lib/errors";
import type { Range } from "../../evals/statistics/interval";
import { whyNotComparable } from "../comparison";
import { VERDICT } from "../contract";
import { haveSameVerdict, pairSamples, sharedCriteria, whyVerdictsDiffer } from "../pairs";
import { remedyFor } from "../remedy";
import { appliesTo, type Column, knownValues, type RunTable, rangeOf, type Scored, scaleOf } from "../table";
import { count, decimal, figureName, percent, points, whyScalesDiffer } from "../words";
import type { GateRule, GateVerdict, RuleVerdict } from "./contract";
import { decide, type Evidence, type Judged, UNDECIDED } from "./evidence";
import { judgeLatency } from "./latency";
import { ruleText } from "./rule";

/** The figure of a rule in one run. */
interface Figure {
  name: string;
  column: Column;
  range: Range;
  isLowerBetter: boolean;
  scored: Scored | undefined;
}

/** Checks a run against rules that `checkRules` accepts. Throws invalid_request for a metric that the run doesn't have. */
export const judgeGate = (
  table: RunTable,
  baseline: RunTable | undefined,
  rules: readonly GateRule[],
): Omit<GateVerdict, "run_id" | "baseline_run_id"> => {
  const judged = rules.map((rule, i): RuleVerdict => {
    if (rule.of === "errors") return { rule, text: ruleText(rule), ...judgeErrors(table, rule.at_most ?? 0) };
    if (rule.of !== "pass_rate" && rule.of !== "mean")
      return { rule, text: ruleText(rule), ...judgeLatency(table, rule) };
    const figure = figureOf(table, rule, i);
    const text = ruleText(rule, figure.isLowerBetter);
    if (rule.max_regression === undefined) return { rule, text, ...judgeBound(table, figure, rule) };
    return { rule, text, ...judgeRegression(table, baseline, figure, rule, i) };
  });
  const failed = judged.filter(({ verdict }) => verdict === "fail");
  const open = judged.filter(({ verdict }) => verdict === "not_enough_data");
  const listed = (some: readonly RuleVerdict[]) => some.map(({ text }) => text).join(", ");
  if (failed.length > 0) return { verdict: "fail", reason: `Not met: ${listed(failed)}.`, rules: judged };
  if (open.length > 0) {
    return { verdict: "not_enough_data", reason: `Not enough data to decide: ${listed(open)}.`, rules: judged };
  }
  const several = judged.length === 2 ? "Both rules are met." : `All ${judged.length} rules are met.`;
  return { verdict: "pass", reason: judged.length === 1 ? "The rule is met." : several, rules: judged };
};

const wrongMetric = (message: string, i: number, field: string): AppError =>
  new AppError("invalid_request", message, { param: `rules.${i}.${field}` });

const figureOf = (table: RunTable, { of, metric = VERDICT, evaluator }: GateRule, i: number): Figure => {
  const name = `the ${figureName({ metric, of: of === "mean" ? "mean" : "pass_rate" })}`;
  if (metric === VERDICT) return { name, column: table.passes, range: [0, 1], isLowerBetter: false, scored: undefined };
  const all = [...table.scored.values()].filter((scored) => scored.metric === metric);
  const asked = all.filter((scored) => (evaluator === undefined ? scored.decides : scored.evaluator === evaluator));
  const names = [...new Set(asked.map((scored) => scored.evaluator))];
  if (names.length > 1) {
    const message = `${names.join(" and ")} scored ${metric}. Choose one of them with \`evaluator\`.`;
    throw wrongMetric(message, i, "evaluator");
  }
  const scored = asked.findLast(({ decides }) => decides) ?? asked.at(-1);
  if (!scored) {
    const known = [...table.scored.values()].map((each) => `${each.metric} by ${each.evaluator}`);
    const has = known.length > 0 ? `It has ${[...new Set(known)].join(", ")}.` : "It has no scores.";
    throw wrongMetric(`The run has no scores for ${metric}${evaluator ? ` by ${evaluator}` : ""}. ${has}`, i, "metric");
  }
  if (of === "mean") {
    const isLowerBetter = scored.criterion.direction === "lower_is_better";
    return { name, column: scored.values, range: rangeOf(scored), isLowerBetter, scored };
  }
  if (scored.criterion.threshold === null) {
    throw wrongMetric(`${metric} has no threshold, so it has no pass rate. Use \`mean\`.`, i, "of");
  }
  return { name, column: scored.passes, range: [0, 1], isLowerBetter: false, scored };
};

const missingSamples = ({ keys, expected }: RunTable): number => Math.max(0, expected.samples - keys.length);

const judgeBound = (table: RunTable, { name, column, range, scored }: Figure, rule: GateRule): Judged => {
  const { repeats } = table.run.pins;
  const applicable = [...table.keys.keys()].filter(
    (row) => !Number.isNaN(column.at(row)) || appliesTo([{ table, scored, row }]),
  );
  const missing = missingSamples(table);
  const isAtLeast = rule.at_least !== undefined;
  const [bad, good] = isAtLeast ? range : [range[1], range[0]];
  const all = (value: number) => [
    ...applicable.map((row) => column.filled(row, repeats, value)),
    ...Array<number>(missing).fill(value),
  ];
  return decide({
    ...knownValues(table, column),
    ...{ range, isAtLeast, name, bound: rule.at_least ?? rule.at_most ?? 0 },
    all: {
      ...{ worst: all(bad), best: all(good) },
      groups: [...applicable.map((row) => table.groups[row] ?? null), ...Array<null>(missing).fill(null)],
    },
    unresolved: applicable.filter((row) => column.missing(row, repeats) > 0).length + missing,
    show: rule.of === "pass_rate" ? percent : decimal,
    remedy: remedyFor([{ name: "the run", table }]),
  });
};

const judgeRegression = (
  table: RunTable,
  baseline: RunTable | undefined,
  figure: Figure,
  { of, max_regression: most = 0 }: GateRule,
  i: number,
): Judged => {
  if (!baseline) throw wrongMetric("A rule with `max_regression` needs a baseline.", i, "max_regression");
  const { scored, range, isLowerBetter } = figure;
  const pairs = pairSamples(baseline, table);
  const earlierScored = scored && baseline.scored.get(scaleOf(scored));
  const reason = whyNotComparable(baseline, table, pairs)?.message;
  const isSameScale = scored ? earlierScored !== undefined : haveSameVerdict(baseline, table);
  if (reason || !isSameScale) {
    const shared = sharedCriteria(baseline, table);
    const differs = scored
      ? whyScalesDiffer(scored.metric, shared.find(({ run }) => run === scored)?.baseline, scored)
      : whyVerdictsDiffer(shared);
    const why = reason ?? differs.message;
    return { ...UNDECIDED, n: 0, unresolved: 0, reason: `Not comparable with the baseline. ${why}` };
  }
  const old = (of === "mean" ? earlierScored?.values : earlierScored?.passes) ?? baseline.passes;
  const tables = [
    { name: "the baseline", table: baseline },
    { name: "the run", table },
  ];
  const width = range[1] - range[0];
  const sign = isLowerBetter ? -1 : 1;
  const [bad, good] = isLowerBetter ? [range[1], range[0]] : range;
  const [values, groups]: [number[], (string | null)[]] = [[], []];
  const all: Evidence["all"] = { worst: [], best: [], groups: [] };
  const missing = missingSamples(table);
  let unresolved = missing;
  const [earlier, now] = [baseline.run.pins.repeats, table.run.pins.repeats];
  pairs.run.forEach((row, at) => {
    const [before, group] = [pairs.baseline[at] ?? -1, table.groups[row] ?? null];
    const gain = sign * (figure.column.at(row) - old.at(before));
    const rows = [
      { table: baseline, scored: earlierScored, row: before },
      { table, scored, row },
    ];
    if (Number.isNaN(gain) && !appliesTo(rows)) return;
    const filled = (worse: number, better: number) =>
      sign * (figure.column.filled(row, now, worse) - old.filled(before, earlier, better));
    all.worst.push(filled(bad, good));
    all.best.push(filled(good, bad));
    all.groups.push(group);
    if (old.missing(before, earlier) + figure.column.missing(row, now) > 0) unresolved++;
    if (Number.isNaN(gain)) return;
    values.push(gain);
    groups.push(group);
  });
  for (let sample = 0; sample < missing; sample++) {
    all.worst.push(-width);
    all.best.push(width);
    all.groups.push(null);
  }
  return decide({
    ...{ values, groups, all, unresolved },
    ...{ range: [-width, width], bound: -most, isAtLeast: true },
    name: `the gain in ${figure.name.replace("the ", "")} over the baseline`,
    show: of === "pass_rate" ? points : decimal,
    remedy: remedyFor(tables),
  });
};

/** The error share is exact, so it has no interval. */
const judgeErrors = ({ results, errors, expected }: RunTable, most: number): Judged => {
  const sum = (counts: readonly number[]) => counts.reduce((total, each) => total + each, 0);
  const missing = Math.max(0, expected.results - sum(results));
  const [unresolved, n] = [sum(errors) + missing, Math.max(expected.results, sum(results))];
  const value = unresolved / n;
  if (n === 0) return { ...UNDECIDED, n, unresolved, reason: "The run has no results, so it has no error rate." };
  const failed = unresolved - missing;
  const parts =
    failed === 0 && missing > 0
      ? `${missing} of ${count(n, "result")} are missing`
      : `${failed} of ${count(n, "result")} are errors${missing > 0 ? ` and ${missing} are missing` : ""}`;
  const reason = `${parts} (${percent(value)}): ${value <= most ? "at most" : "above"} ${percent(most)}.`;
  const verdict = value <= most ? "pass" : "fail";
  return { verdict, value, interval: null, n, unresolved, samples_needed: null, reason };
};
