import type { Agreement, Statistic } from "../statistics-contract";
import { calibrate } from "./calibration";
import { clustersOf, designEffect } from "./clusters";
import { type Estimate, type EstimateOptions, estimateMean } from "./estimate";
import { mean, type Range } from "./interval";
import { detectableRateChange } from "./power";
import { averageRepeats, type PassAtK, passAtK } from "./repeats";

/** One evaluator's score of one output on one criterion. A sample with repeats has several. */
export interface CriterionResult {
  sampleId: string;
  /** The sample's group; null if the sample is independent. */
  group: string | null;
  /** null if the evaluator failed. */
  value: number | null;
  /** null if the criterion has no threshold or the evaluator failed. */
  passed: boolean | null;
  /** Whether people passed the output; null if it is not labelled. */
  label: boolean | null;
}

/**
 * The statistics of one criterion across a run, without the fields that identify it. Repeats of a sample are averaged
 * first, so samples are counted.
 */
type CriterionSummary = Omit<Statistic, "metric" | "direction" | "criterion_hash" | "evaluator" | "shadow">;

/** The mean of `pick` for each sample. Results for which it returns null are excluded. */
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

/** Labels belong to outputs. Labels of the same sample are as dependent as those of a group. */
const calibrationOf = (results: readonly CriterionResult[], seed?: number): Agreement | null =>
  calibrate(
    results.flatMap(({ sampleId, group, passed, label }) =>
      passed === null ? [] : [{ decision: passed, label, group: group ?? `sample ${sampleId}` }],
    ),
    seed,
  );

/** Summarises one criterion. `range` is the range of its scale. */
export const summarizeCriterion = (
  results: readonly CriterionResult[],
  { range, level, seed }: Omit<EstimateOptions, "groups"> = {},
): CriterionSummary => {
  const groupOf = new Map(results.map(({ sampleId, group }) => [sampleId, group]));
  const groupsOf = (bySample: ReadonlyMap<string, number>) => [...bySample.keys()].map((id) => groupOf.get(id) ?? null);
  const estimate = (bySample: ReadonlyMap<string, number>, scale?: Range): Estimate =>
    estimateMean([...bySample.values()], { groups: groupsOf(bySample), range: scale, level, seed });

  const values = averageOf(results, ({ value }) => value);
  const { n, clusters, value, interval } = estimate(values, range);
  const summary = {
    n,
    errors: groupOf.size - values.size,
    mean: value,
    interval,
    clusters,
    pass_at_k: repeatsOf(results),
    agreement: calibrationOf(results, seed),
  };
  const passes = averageOf(results, ({ passed }) => passed);
  if (passes.size === 0) return { ...summary, pass_rate: null, bounds: null, detectable_difference: null };

  const passRate = meanOfMap(passes);
  const effect = designEffect([...passes.values()], clustersOf(groupsOf(passes)));
  return {
    ...summary,
    pass_rate: { value: passRate, interval: estimate(passes, [0, 1]).interval },
    bounds: {
      worst: meanOfMap(averageOf(results, ({ value, passed }) => (value === null ? false : passed))),
      best: meanOfMap(averageOf(results, ({ value, passed }) => (value === null ? true : passed))),
    },
    detectable_difference: detectableRateChange(passRate, passes.size, { designEffect: effect ?? 1, level }),
  };
};
