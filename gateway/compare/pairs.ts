import type { RunTable, Scored } from "./table";

/** The rows of two tables that have the same sample with the same content, and the number of other samples. */
export interface Pairs {
  baseline: number[];
  run: number[];
  onlyInBaseline: number;
  onlyInRun: number;
  /** Samples with the same key in both tables, but with another content. */
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
 * Whether the verdicts of two runs are on the same scale: the same evaluators with the same criteria and judges decide
 * them. A run with errors only has no scale.
 */
export const haveSameVerdict = (a: RunTable, b: RunTable): boolean => {
  const [one, other] = [decidingScales(a), decidingScales(b)];
  return one === other || one === "" || other === "";
};

const decidingScales = ({ scored }: RunTable): string =>
  [...scored]
    .flatMap(([scale, { decides }]) => (decides ? [scale] : []))
    .sort()
    .join("\n");

const nameOf = ({ evaluator }: Scored): string => evaluator.split("@")[0] ?? evaluator;

/** A criterion with an evaluator, in two runs. undefined: that run has no scores on a scale that the other has. */
export interface SharedCriterion {
  baseline: Scored | undefined;
  run: Scored | undefined;
}

/**
 * The criteria of two runs: first those on the same scale in both, then those that only have values on different scales,
 * or in one run only. Different versions of one evaluator belong together.
 */
export const sharedCriteria = (baseline: RunTable, run: RunTable): SharedCriterion[] => {
  const same = [...run.scored].flatMap(([scale, scored]): SharedCriterion[] => {
    const before = baseline.scored.get(scale);
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
  for (const scored of baseline.scored.values()) add(scored, "baseline");
  for (const scored of run.scored.values()) add(scored, "run");
  return [...same, ...others.values()];
};
