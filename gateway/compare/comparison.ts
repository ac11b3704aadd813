import type { Range } from "../evals/statistics/interval";
import { comparePairs, holmAdjust } from "../evals/statistics/paired";
import { differsInScale, type MetricComparison, type Reason, type RunComparison, VERDICT } from "./contract";
import {
  haveSameVerdict,
  type Pairs,
  pairSamples,
  type SharedCriterion,
  sharedCriteria,
  whyVerdictsDiffer,
} from "./pairs";
import { type NamedTable, remedyFor } from "./remedy";
import { appliesTo, type Column, type RunTable, rangeOf } from "./table";
import { count, describeDetectable, describeDifference, figureName, whyScalesDiffer, withoutValue } from "./words";

/** The level of the tests, after Holm's adjustment. */
const LEVEL = 0.05;
const OPEN: ReadonlySet<RunTable["run"]["state"]> = new Set(["queued", "running", "paused"]);

/** A figure of both runs that can be compared. */
interface Measure extends Pick<MetricComparison, "metric" | "evaluator" | "of" | "direction" | "shadow"> {
  range: Range;
  baseline: Column;
  run: Column;
  /** Whether the measure applies to the samples in these rows of the tables. Default: to all. */
  applies?: (baselineRow: number, runRow: number) => boolean;
}

/** A comparison whose p value is not adjusted yet. Comparisons with the same `testKey` share one test. */
interface Tested {
  compared: MetricComparison;
  testKey: string;
  /** Common samples that lack a value, or the value of a repeat, in one of the runs. */
  incomplete: number;
}

/** Compares each run with the baseline. The p values of all tests are adjusted together. */
export const compareRuns = (baseline: RunTable, runs: readonly RunTable[]): RunComparison[] => {
  const compared = runs.map((run) => {
    const pairs = pairSamples(baseline, run);
    const reason = whyNotComparable(baseline, run, pairs);
    return { run, pairs, reason, tested: pairs.run.length === 0 ? [] : testMeasures(baseline, run, pairs) };
  });
  adjust(compared.flatMap(({ reason, tested }) => (reason ? [] : tested)));
  return compared.map(({ run, pairs, reason, tested }) => {
    const tables = [
      { name: "the baseline", table: baseline },
      { name: "this run", table: run },
    ];
    const judged = tested.map((each) => ({ ...each, compared: judge(each, reason, tables) }));
    const metrics = judged.map(({ compared }) => compared);
    return {
      run_id: run.run.id,
      ...concludeFrom(judged, reason),
      warnings: warningsOf(baseline, run, pairs, judged),
      ...{ pairs: pairs.run.length, only_in_baseline: pairs.onlyInBaseline, only_in_run: pairs.onlyInRun },
      changed: pairs.changed,
      metrics,
    };
  });
};

const testMeasures = (baseline: RunTable, run: RunTable, pairs: Pairs): Tested[] => {
  const groups = pairs.baseline.map((row) => baseline.groups[row] ?? null);
  const verdict: Measure = {
    ...{ metric: VERDICT, evaluator: null, of: "pass_rate", direction: "higher_is_better", shadow: false },
    ...{ range: [0, 1], baseline: baseline.passes, run: run.passes },
  };
  const test = (measure: Measure) =>
    testMeasure(measure, pairs, { groups, repeats: [baseline.run.pins.repeats, run.run.pins.repeats] });
  const criteria = sharedCriteria(baseline, run);
  const first = haveSameVerdict(baseline, run) ? test(verdict) : incomparable(verdict, whyVerdictsDiffer(criteria));
  const applies = (shared: SharedCriterion) => (before: number, now: number) =>
    appliesTo([
      { table: baseline, scored: shared.baseline, row: before },
      { table: run, scored: shared.run, row: now },
    ]);
  return [first, ...criteria.map((shared) => testCriterion(shared, applies(shared), test))];
};

const testCriterion = (
  { baseline, run }: SharedCriterion,
  applies: Measure["applies"],
  test: (measure: Measure) => Tested,
): Tested => {
  const scored = run ?? baseline;
  if (!scored) throw new Error("A shared criterion has scores in one of the runs.");
  const { metric, evaluator, criterion } = scored;
  const isSameScale = baseline && run && baseline.criterionHash === run.criterionHash && baseline.judge === run.judge;
  const shadow = !((baseline?.decides ?? true) && (run?.decides ?? true));
  const named = { metric, evaluator, of: "mean", direction: criterion.direction, shadow } as const;
  if (!isSameScale || baseline.evaluatorHash !== run.evaluatorHash)
    return incomparable(named, whyScalesDiffer(metric, baseline, run));
  return test({ ...named, range: rangeOf(scored), baseline: baseline.values, run: run.values, applies });
};

const NO_FIGURES = {
  verdict: "not_comparable" as const,
  ...{ clusters: null, baseline: null, value: null, difference: null, interval: null },
  ...{ test: null, p: null, p_adjusted: null, better: 0, worse: 0, bounds: null, detectable_difference: null },
};

type Named = Pick<MetricComparison, "metric" | "evaluator" | "of" | "direction" | "shadow">;

const incomparable = ({ metric, evaluator, of, direction, shadow }: Named, reason: Reason, errors = 0): Tested => ({
  compared: { metric, evaluator, of, direction, shadow, ...NO_FIGURES, reason, n: 0, errors },
  ...{ testKey: "", incomplete: errors },
});

interface PairFacts {
  groups: readonly (string | null)[];
  /** Repeats of each sample in the baseline and in the run. */
  repeats: readonly [baseline: number, run: number];
}

const testMeasure = (measure: Measure, pairs: Pairs, { groups, repeats }: PairFacts): Tested => {
  const { metric, evaluator, of, direction, shadow, range, applies = () => true } = measure;
  const [a, b, known]: [number[], number[], (string | null)[]] = [[], [], []];
  const bounds = { worst: 0, best: 0 };
  const [bad, good] = direction === "higher_is_better" ? range : [range[1], range[0]];
  let [applicable, incomplete] = [0, 0];
  pairs.run.forEach((row, i) => {
    const old = pairs.baseline[i] ?? -1;
    const [before, now] = [measure.baseline.at(old), measure.run.at(row)];
    const isKnown = !Number.isNaN(before) && !Number.isNaN(now);
    if (!isKnown && !applies(old, row)) return;
    applicable++;
    const difference = (worse: number, better: number) =>
      measure.run.filled(row, repeats[1], worse) - measure.baseline.filled(old, repeats[0], better);
    bounds.worst += difference(bad, good);
    bounds.best += difference(good, bad);
    if (measure.baseline.missing(old, repeats[0]) + measure.run.missing(row, repeats[1]) > 0) incomplete++;
    if (!isKnown) return;
    a.push(before);
    b.push(now);
    known.push(groups[i] ?? null);
  });
  const errors = applicable - a.length;
  const result = comparePairs(a, b, { groups: known, range });
  if (!result) {
    const message = `None of the ${count(errors, "common sample")} has a value in both runs.`;
    return incomparable(measure, { code: "no_common_samples", message }, errors);
  }
  const [better, worse] =
    direction === "higher_is_better" ? [result.rises, result.falls] : [result.falls, result.rises];
  return {
    incomplete,
    testKey: `${pairs.run.length} ${Bun.hash(Float64Array.from(b, (value, i) => value - (a[i] ?? 0)))}`,
    compared: {
      ...{ metric, evaluator, of, direction, shadow },
      ...{ verdict: "not_shown", reason: null, n: result.n, errors, clusters: result.clusters },
      ...{ baseline: result.a, value: result.b, difference: result.difference, interval: result.interval },
      ...{ test: result.test, p: result.p, p_adjusted: result.p, better, worse },
      bounds: incomplete === 0 ? null : { worst: bounds.worst / applicable, best: bounds.best / applicable },
      detectable_difference: result.detectableDifference,
    },
  };
};

/** Adjusts all p values together. A test under two names, such as a verdict that one criterion decides, counts once. */
const adjust = (tested: readonly Tested[]): void => {
  const groups = [...Map.groupBy(tested, ({ testKey }) => testKey)].filter(([key]) => key !== "");
  const adjusted = holmAdjust(groups.map(([, [first]]) => first?.compared.p ?? 1));
  groups.forEach(([, same], i) => {
    for (const { compared } of same) compared.p_adjusted = adjusted[i] ?? 1;
  });
};

/** Adds the verdict. A difference that errors could explain is not shown. */
const judge = (
  { compared, incomplete }: Tested,
  reason: Reason | null,
  tables: readonly NamedTable[],
): MetricComparison => {
  if (compared.reason) return compared;
  if (reason) return { ...compared, verdict: "not_comparable", reason };
  const { difference, p_adjusted: p, bounds, direction, errors } = compared;
  if (p === null || p >= LEVEL || !difference) return compared;
  const sign = direction === "higher_is_better" ? 1 : -1;
  const verdict = sign * difference > 0 ? "better" : "worse";
  const opposite = bounds && (verdict === "better" ? sign * bounds.worst < 0 : sign * bounds.best > 0);
  if (!opposite) return { ...compared, verdict };
  const without = withoutValue(incomplete, incomplete > errors);
  const message = `The difference is significant, but ${without} could explain it. ${remedyFor(tables)}`;
  return { ...compared, reason: { code: "errors_present", message } };
};

/** Why two runs can't be compared; null if they can. */
export const whyNotComparable = (baseline: RunTable, run: RunTable, pairs: Pairs): Reason | null => {
  if (baseline.run.datasetId !== run.run.datasetId) {
    const [before, now] = [baseline, run].map((table) => table.run.pins.dataset?.name ?? "no dataset");
    return {
      code: "dataset_differs",
      message: `The runs used different datasets: "${before}" and "${now}". Only runs of one dataset can be compared.`,
    };
  }
  const open = [baseline, run].find((table) => OPEN.has(table.run.state));
  if (open) {
    return {
      code: "run_not_finished",
      message: `"${open.run.name}" is ${open.run.state}: ${open.keys.length} of ${count(open.expected.samples, "sample")} so far. Compare it again when it has ended.`,
    };
  }
  if (pairs.run.length > 0) return null;
  const changed =
    pairs.changed > 0 ? ` ${count(pairs.changed, "sample")} changed between the dataset's revisions.` : "";
  return { code: "no_common_samples", message: `The runs have no sample in common.${changed}` };
};

const warningsOf = (
  baseline: RunTable,
  run: RunTable,
  { onlyInBaseline, onlyInRun, changed }: Pairs,
  [verdict]: readonly Tested[],
): Reason[] => {
  const warnings: Reason[] = [];
  if (onlyInBaseline + onlyInRun > 0) {
    const parts = [
      ...(onlyInBaseline > 0 ? [`${count(onlyInBaseline, "sample")} of the baseline`] : []),
      ...(onlyInRun > 0 ? [`${count(onlyInRun, "sample")} of this run`] : []),
    ];
    const message = `Excluded, because not in both runs: ${parts.join(" and ")}. They never count as passed.`;
    warnings.push({ code: "samples_missing", message });
  }
  for (const { run: own, keys, expected } of [baseline, run]) {
    const missing = expected.samples - keys.length;
    if (missing <= 0 || OPEN.has(own.state)) continue;
    const message = `"${own.name}" is ${own.state}: ${missing} of its ${count(expected.samples, "sample")} have no result.`;
    warnings.push({ code: "samples_missing", message });
  }
  if (changed > 0) {
    const message = `${count(changed, "sample")} changed between the dataset's revisions and ${changed === 1 ? "is" : "are"} excluded.`;
    warnings.push({ code: "samples_changed", message });
  }
  const { compared: { errors } = { errors: 0 }, incomplete = 0 } = verdict ?? {};
  if (errors > 0) {
    const message = `${count(errors, "common sample")} without a verdict in one of the runs: excluded, and never counted as passed.`;
    warnings.push({ code: "errors_present", message });
  }
  if (incomplete > errors) {
    const message = `${count(incomplete - errors, "common sample")} ${incomplete - errors === 1 ? "has" : "have"} a verdict for only some of the answers: only those are compared.`;
    warnings.push({ code: "errors_present", message });
  }
  return warnings;
};

/** The verdict on a run. It depends on shadow evaluators only if there are no others. */
const concludeFrom = (
  judged: readonly Tested[],
  reason: Reason | null,
): Pick<RunComparison, "verdict" | "summary" | "reason"> => {
  const comparable = judged.filter(({ compared }) => compared.verdict !== "not_comparable");
  const deciding = comparable.filter(({ compared }) => !compared.shadow);
  const counting = distinct(deciding.length > 0 ? deciding : comparable);
  const [first] = counting;
  const why = reason ?? judged.find(({ compared }) => compared.reason)?.compared.reason ?? null;
  if (reason || !first) {
    const known = why ?? { code: "not_scored" as const, message: "Neither run has scores." };
    return { verdict: "not_comparable", reason: known, summary: `Not comparable. ${known.message}` };
  }
  const areRatesApart = judged.some(({ compared }) => compared.metric === VERDICT && differsInScale(compared.reason));
  const before = areRatesApart ? "The pass rates can't be compared. " : "";
  const better = counting.filter(({ verdict }) => verdict === "better");
  const worse = counting.filter(({ verdict }) => verdict === "worse");
  const names = (some: readonly MetricComparison[]) => some.map(figureName).join(", ");
  if (better.length > 0 && worse.length > 0) {
    return {
      verdict: "mixed",
      reason: null,
      summary: `${before}Mixed. Better: ${names(better)}. Worse: ${names(worse)}.`,
    };
  }
  const [changed = first] = [...better, ...worse];
  const others = [...better, ...worse].filter((each) => each !== changed);
  const verdict = better.length > 0 ? "better" : worse.length > 0 ? "worse" : "not_shown";
  const title = { better: "Better", worse: "Worse", not_shown: "No difference shown" }[verdict];
  const rest = others.length > 0 ? ` Also ${verdict}: ${names(others)}.` : "";
  const hint =
    verdict === "not_shown" ? (changed.reason ? ` ${changed.reason.message}` : describeDetectable(changed)) : "";
  return { verdict, reason: null, summary: `${before}${title}: ${describeDifference(changed)}.${rest}${hint}` };
};

/** The same test in the same direction counts once: a verdict and its only criterion say the same. */
const distinct = (judged: readonly Tested[]): MetricComparison[] => {
  const byTest = Map.groupBy(judged, ({ testKey, compared }) => `${testKey} ${compared.direction}`);
  return [...byTest.values()].flatMap(([first]) => first?.compared ?? []);
};
