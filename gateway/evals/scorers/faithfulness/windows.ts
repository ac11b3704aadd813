import type { Source } from "./source";

/** A passage that speaks of what a claim says. */
export interface Window {
  passage: number;
  /** Weighted share of the claim's words that the passage has. */
  alone: number;
  /** The same of the passage with its neighbours. */
  around: number;
}

/** Windows of a claim that are looked at closely. */
const MAX_WINDOWS = 8;

const coverage = (ids: ReadonlyMap<number, number>, total: number, { words }: Source, from: number, to: number) => {
  const found = new Set<number>();
  let weight = 0;
  for (let place = from; place < to; place++) {
    const id = words[place] ?? -1;
    const own = ids.get(id);
    if (own !== undefined && !found.has(id)) {
      found.add(id);
      weight += own;
    }
  }
  return total > 0 ? weight / total : 0;
};

/** Longer passages are compared by their beginning. */
const LONGEST_PASSAGE = 400;

/** The passages that share most with a claim, best first. `weights` are those of the claim's stems, `total` their sum. */
export const bestWindows = (weights: ReadonlyMap<number, number>, total: number, source: Source): Window[] => {
  const scores = new Map<number, number>();
  for (const [id, weight] of weights) {
    let last = -1;
    for (const place of source.placesOf[id] ?? []) {
      const passage = source.passageOf[place] ?? 0;
      if (passage !== last) scores.set(passage, (scores.get(passage) ?? 0) + weight);
      last = passage;
    }
  }
  const best = [...scores].sort(([a, x], [b, y]) => y - x || a - b).slice(0, MAX_WINDOWS);
  return best.map(([passage, score]) => {
    const context = source.passages[passage]?.context;
    const near = (place: number) => {
      const other = source.passages[place];
      return other?.context === context ? other : source.passages[passage];
    };
    const [before, after] = [near(passage - 1), near(passage + 1)];
    const from = Math.max(before?.from ?? 0, (source.passages[passage]?.from ?? 0) - LONGEST_PASSAGE);
    const to = Math.min(
      after?.to ?? 0,
      (source.passages[passage]?.to ?? 0) + LONGEST_PASSAGE,
      from + 3 * LONGEST_PASSAGE,
    );
    return { passage, alone: total > 0 ? score / total : 0, around: coverage(weights, total, source, from, to) };
  });
};
