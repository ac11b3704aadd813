import type { Reason } from "./contract";
import { type RunTable, type Scored, scaleOf } from "./table";
import { whyRolesDiffer, whyScalesDiffer } from "./words";

/** The rows of two tables that belong to the same sample with the same content, and counts of all other samples. */
export interface Pairs {
  baseline: number[];
  run: number[];
  onlyInBaseline: number;
  onlyInRun: number;
  /** Samples with the same key in both tables but different content. */
  changed: number;
}

export const pairSamples = (baseline: RunTable, run: RunTable): Pairs => {
  const rows = new Map(baseline.keys.map((key, row) => [key, row]));
  const pairs: Pairs = { baseline: [], run: [], onlyInBaseline: 0, onlyInRun: 0, changed: 0 };
  run.keys.forEach((key, row) => {
    const before = rows.get(key);
    if (before === undefined) pairs.onlyInRun++;
    else if (baseline.sampleIds[before] !== run.sampleIds[row]) pairs.changed++;
    else {
      pairs.baseline.push(before);
      pairs.run.push(row);
    }
  });
  pairs.onlyInBaseline = baseline.keys.length - pairs.run.length - pairs.changed;
  return pairs;
};

/**
 * Whether the verdicts of two runs are on the same scale: decided by the same evaluators with the same criteria and
 * judges. A run that contains only errors matches any scale.
 */
export const haveSameVerdict = (a: RunTable, b: RunTable): boolean => {
  const [one, other] = [decidingScales(a), decidingScales(b)];
  return one === other || one === "" || other === "";
};

const decidingScales = ({ scored }: RunTable): string =>
  [...scored]
    .flatMap(([scale, { decides, values }]) => (decides && !values.isEmpty ? [scale] : []))
    .sort()
    .join("\n");

const nameOf = ({ evaluator }: Scored): string => evaluator.split("@")[0] ?? evaluator;

/** A criterion of an evaluator in two runs. undefined: that run has no scores on the other run's scale. */
export interface SharedCriterion {
  baseline: Scored | undefined;
  run: Scored | undefined;
}

/**
 * The criteria of two runs: first those on the same scale in both, then those on different scales or in only one run.
 * Different versions of the same evaluator are matched with each other.
 */
export const sharedCriteria = (baseline: RunTable, run: RunTable): SharedCriterion[] => {
  const valuesOf = ({ scored }: RunTable) => new Map([...scored].filter(([, { values }]) => !values.isEmpty));
  const [old, now] = [valuesOf(baseline), valuesOf(run)];
  const same = [...now].flatMap(([scale, scored]): SharedCriterion[] => {
    const before = old.get(scale);
    return before ? [{ baseline: before, run: scored }] : [];
  });
  const kindOf = (scored: Scored) => `${scored.metric} ${nameOf(scored)}`;
  const known = new Set(same.flatMap(({ run: scored }) => (scored ? [kindOf(scored)] : [])));
  const others = new Map<string, SharedCriterion>();
  const add = (scored: Scored, side: keyof SharedCriterion) => {
    if (known.has(kindOf(scored))) return;
    const shared = others.getOrInsertComputed(kindOf(scored), () => ({ baseline: undefined, run: undefined }));
    // The scores that decide are the ones that people look at.
    if (shared[side] === undefined || scored.decides) shared[side] = scored;
  };
  for (const scored of old.values()) add(scored, "baseline");
  for (const scored of now.values()) add(scored, "run");
  return [...same, ...others.values()];
};

/** Why the verdicts of two runs are on different scales: a deciding evaluator differs, or decides in only one of them. */
export const whyVerdictsDiffer = (criteria: readonly SharedCriterion[]): Reason => {
  const isSame = ({ baseline, run }: SharedCriterion) => baseline && run && scaleOf(baseline) === scaleOf(run);
  const apart = criteria.filter((shared) => !isSame(shared));
  const deciding = apart.find(({ baseline, run }) => baseline?.decides || run?.decides);
  const swapped = criteria.find(
    (shared) => isSame(shared) && shared.baseline?.decides !== shared.run?.decides,
  )?.baseline;
  if (!deciding && swapped) return whyRolesDiffer(swapped);
  const differing = deciding ?? apart[0] ?? criteria[0];
  return whyScalesDiffer("the verdict", differing?.baseline, differing?.run);
};
