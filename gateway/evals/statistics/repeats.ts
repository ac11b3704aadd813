import type { Statistic } from "../statistics-contract";

/** The outcomes of a sample's repeats. */
interface Attempts {
  passes: number;
  attempts: number;
}

/** For each k, the samples with at least k attempts. Others are excluded. */
export type PassAtK = Statistic["pass_at_k"][number];

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
