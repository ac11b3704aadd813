import { type Calibration, calibrate } from "./calibration";
import { designEffect } from "./cluster-robust";
import { clustersOf } from "./clusters";
import { type Estimate, type EstimateOptions, estimateMean } from "./estimate";
import type { Range } from "./interval";
import { mean } from "./mean";
import { detectableRateChange } from "./power";
import { averageRepeats, type PassAtK, passAtK } from "./repeats";

/** How one evaluator judged one output by one criterion. A sample that was run several times has several. */
export interface CriterionResult {
  sampleId: string;
  /** Of the sample; null: it depends on no other. */
  group: string | null;
  /** null: the evaluator failed, which is no verdict. */
  value: number | null;
  /** null: the criterion has no threshold, or the evaluator failed. */
  passed: boolean | null;
  /** Whether a person passed it; null: nobody has labelled it. */
  label: boolean | null;
}

/** One criterion over a run. Repeats of a sample are averaged first: counts are of samples. */
export interface CriterionSummary {
  /** Samples without a value. */
  errors: number;
  mean: Estimate;
  /** null: no verdicts. */
  passRate: Estimate | null;
  /** Pass rate if every failure of the evaluator had been a fail, and had been a pass; null: no verdicts. */
  bounds: { worst: number; best: number } | null;
  /** Empty without repeats. */
  passAtK: PassAtK[];
  /** Smallest change of the pass rate, against a fixed value, that so many samples show; null: none. */
  detectableChange: number | null;
  calibration: Calibration | null;
}

/** The samples' means of what `pick` picks; where it picks nothing, the result doesn't count. */
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

/** Nothing where no sample has more than one verdict. */
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

/** Labels belong to outputs; those of one sample depend on each other as those of one group do. */
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
