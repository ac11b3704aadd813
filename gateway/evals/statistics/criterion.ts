import { type Calibration, calibrate } from "./calibration";
import { designEffect } from "./cluster-robust";
import { clustersOf } from "./clusters";
import { type Estimate, type EstimateOptions, estimateMean } from "./estimate";
import type { Range } from "./interval";
import { mean } from "./mean";
import { detectableRateChange } from "./power";
import { averageRepeats, type PassAtK, passAtK } from "./repeats";

/** One evaluator's score of one output by one criterion. A sample with repeats has several. */
export interface CriterionResult {
  sampleId: string;
  /** Group of the sample; null if it is independent. */
  group: string | null;
  /** null if the evaluator failed. */
  value: number | null;
  /** null if the criterion has no threshold or the evaluator failed. */
  passed: boolean | null;
  /** Whether people passed it; null if not labelled. */
  label: boolean | null;
}

/** One criterion over a run. Repeats of a sample are averaged first: counts are of samples. */
export interface CriterionSummary {
  /** Samples without a value. */
  errors: number;
  mean: Estimate;
  /** null without verdicts. */
  passRate: Estimate | null;
  /** Pass rate if all errors had failed, and if all had passed; null without verdicts. */
  bounds: { worst: number; best: number } | null;
  /** Empty without repeats. */
  passAtK: PassAtK[];
  /** Smallest detectable change of the pass rate against a fixed value, with this many samples; null if none. */
  detectableChange: number | null;
  calibration: Calibration | null;
}

/** The mean of `pick` for each sample; results for which it returns null are excluded. */
const averageOf = (
  results: readonly CriterionResult[],
  pick: (result: CriterionResult) => boolean | number | null,
): Map<string, number> =>
  averageRepeats(
    results.flatMap((result) => {
      const value = pick(result);
      return value === null ? [] : [[result.sampleId, Number(value)] as const];
    }),
  );

const meanOfMap = (bySample: ReadonlyMap<string, number>): number => mean([...bySample.values()]);

/** Empty if no sample has more than one verdict. */
const repeatsOf = (results: readonly CriterionResult[]): PassAtK[] => {
  const judged = results.filter(({ passed }) => passed !== null);
  const samples = [...Map.groupBy(judged, ({ sampleId }) => sampleId).values()];
  if (samples.every(({ length }) => length <= 1)) return [];
  return passAtK(
    samples.map((outputs) => ({
      passes: outputs.filter(({ passed }) => passed).length,
      attempts: outputs.length,
    })),
  );
};

/** Labels belong to outputs. Labels of one sample depend on each other like those of one group. */
const calibrationOf = (results: readonly CriterionResult[], seed?: number): Calibration | null =>
  calibrate(
    results.flatMap(({ sampleId, group, passed, label }) =>
      passed === null ? [] : [{ decision: passed, label, group: group ?? `sample ${sampleId}` }],
    ),
    seed,
  );

/** Summarises one criterion. `range` is that of its scale. */
export const summarizeCriterion = (
  results: readonly CriterionResult[],
  { range, level, seed }: Omit<EstimateOptions, "groups"> = {},
): CriterionSummary => {
  const groupOf = new Map(results.map(({ sampleId, group }) => [sampleId, group]));
  const groupsOf = (bySample: ReadonlyMap<string, number>) => [...bySample.keys()].map((id) => groupOf.get(id) ?? null);
  const estimate = (bySample: ReadonlyMap<string, number>, scale?: Range): Estimate =>
    estimateMean([...bySample.values()], { groups: groupsOf(bySample), range: scale, level, seed });

  const values = averageOf(results, ({ value }) => value);
  const summary = {
    errors: groupOf.size - values.size,
    mean: estimate(values, range),
    passAtK: repeatsOf(results),
    calibration: calibrationOf(results, seed),
  };
  const passes = averageOf(results, ({ passed }) => passed);
  if (passes.size === 0) return { ...summary, passRate: null, bounds: null, detectableChange: null };

  const passRate = meanOfMap(passes);
  const effect = designEffect([...passes.values()], clustersOf(groupsOf(passes)));
  return {
    ...summary,
    passRate: estimate(passes, [0, 1]),
    bounds: {
      worst: meanOfMap(averageOf(results, ({ value, passed }) => (value === null ? false : passed))),
      best: meanOfMap(averageOf(results, ({ value, passed }) => (value === null ? true : passed))),
    },
    detectableChange: detectableRateChange(passRate, passes.size, { designEffect: effect ?? 1, level }),
  };
};
