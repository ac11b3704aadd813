import type { Agreement, Statistic } from "../statistics-contract";
import { calibrate } from "./calibration";
import { clustersOf, designEffect } from "./clusters";
import { type Estimate, type EstimateOptions, estimateMean } from "./estimate";
import { mean, type Range } from "./interval";
import { cautiousRate, detectableRateChange } from "./power";

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
  const power = { designEffect: effect ?? 1, level };
  return {
    ...summary,
    pass_rate: { value: passRate, interval: estimate(passes, [0, 1]).interval },
    bounds: {
      worst: meanOfMap(averageOf(results, ({ value, passed }) => (value === null ? false : passed))),
      best: meanOfMap(averageOf(results, ({ value, passed }) => (value === null ? true : passed))),
    },
    detectable_difference: detectableRateChange(cautiousRate(passRate, passes.size, power), passes.size, power),
  };
};

/** The outcomes of a sample's repeats. */
interface Attempts {
  passes: number;
  attempts: number;
}

/** For each k, the samples with at least k attempts. Others are excluded. */
type PassAtK = Statistic["pass_at_k"][number];

/** The fraction of choices of `k` out of `total` that are all in `part`: C(part, k) / C(total, k), without overflow. */
const shareOfChoices = (part: number, total: number, k: number): number => {
  let share = 1;
  for (let i = 0; i < k; i++) share *= Math.max(0, part - i) / (total - i);
  return share;
};

/**
 * pass@k (Chen et al. 2021, "Evaluating large language models trained on code") and pass^k (Yao et al. 2024,
 * "τ-bench"), estimated without bias as 1 − C(n − c, k) / C(n, k) and C(c, k) / C(n, k) and averaged over samples, for
 * k from 1 to the maximum number of attempts of a sample.
 */
export const passAtK = (samples: readonly Attempts[]): PassAtK[] => {
  const most = samples.reduce((largest, { attempts }) => Math.max(largest, attempts), 0);
  return Array.from({ length: most }, (_, i) => {
    const k = i + 1;
    const telling = samples.filter(({ attempts }) => attempts >= k);
    let any = 0;
    let all = 0;
    for (const { passes, attempts } of telling) {
      any += 1 - shareOfChoices(attempts - passes, attempts, k);
      all += shareOfChoices(passes, attempts, k);
    }
    return { k, n: telling.length, any: any / telling.length, all: all / telling.length };
  });
};

/** The mean of each sample's values, in order of first appearance. */
export const averageRepeats = (values: Iterable<readonly [sampleId: string, value: number]>): Map<string, number> => {
  const totals = new Map<string, { sum: number; count: number }>();
  for (const [sampleId, value] of values) {
    const { sum, count } = totals.get(sampleId) ?? { sum: 0, count: 0 };
    totals.set(sampleId, { sum: sum + value, count: count + 1 });
  }
  return new Map([...totals].map(([sampleId, { sum, count }]) => [sampleId, sum / count]));
};
