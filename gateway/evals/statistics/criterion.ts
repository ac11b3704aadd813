import type { Statistic } from "../statistics-contract";
import { calibrate } from "./calibration";
import { clustersOf, designEffect } from "./clusters";
import type { Attempts, CriterionScores, SampleMeans } from "./criterion-scores";
import { type Estimate, type EstimateOptions, estimateMean } from "./estimate";
import { mean, type Range } from "./interval";
import { cautiousRate, detectableRateChange } from "./power";

/**
 * The statistics of one criterion across a run, without the fields that identify it. Repeats of a sample are averaged
 * first, so samples are counted.
 */
type CriterionSummary = Omit<Statistic, "metric" | "direction" | "criterion_hash" | "evaluator" | "shadow">;

/** Empty if no sample has more than one verdict. */
const repeatsOf = (scores: CriterionScores): PassAtK[] => {
  const attempts = scores.samples === scores.scores ? [] : scores.attempts();
  return attempts.every((sample) => sample.attempts <= 1) ? [] : passAtK(attempts);
};

/** Summarises one criterion. `range` is the range of its scale. */
export const summarizeCriterion = (
  scores: CriterionScores,
  { range, level, seed }: Omit<EstimateOptions, "groups"> = {},
): CriterionSummary => {
  const estimate = ({ values, groups }: SampleMeans, scale?: Range): Estimate =>
    estimateMean(values, { groups, range: scale, level, seed });

  const { n, clusters, value, interval } = estimate(
    scores.means((score) => score),
    range,
  );
  const summary = {
    n,
    errors: scores.samples - n,
    mean: value,
    interval,
    clusters,
    pass_at_k: repeatsOf(scores),
    agreement: scores.isLabelled ? calibrate(scores.decisions(), seed) : null,
  };
  const passes = scores.means((_, passed) => passed);
  const judged = passes.values.length;
  if (judged === 0) return { ...summary, pass_rate: null, bounds: null, detectable_difference: null };

  const passRate = mean(passes.values);
  const power = { designEffect: designEffect(passes.values, clustersOf(passes.groups)) ?? 1, level };
  const passRateIfErrors = (pass: boolean) =>
    mean(scores.means((score, passed) => (score === null ? pass : passed)).values);
  return {
    ...summary,
    pass_rate: { value: passRate, interval: estimate(passes, [0, 1]).interval },
    bounds: { worst: passRateIfErrors(false), best: passRateIfErrors(true) },
    detectable_difference: detectableRateChange(cautiousRate(passRate, judged, power), judged, power),
  };
};

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
