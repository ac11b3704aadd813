import type { Source } from "./source";

/** Places that are looked at for all words of a claim together. */
const MAX_STEPS = 2_000_000;

/**
 * For each word of a claim the length of the longest run of words that ends with it and stands in the contexts as it is
 * (the fragments of Grusky et al. 2018, "Newsroom", seen from their ends).
 */
export const runLengths = (ids: readonly number[], { placesOf }: Source): number[] => {
  const most = Math.max(1, Math.floor(MAX_STEPS / Math.max(1, ids.length)));
  let before = new Map<number, number>();
  return ids.map((id) => {
    const current = new Map<number, number>();
    let longest = 0;
    for (const place of (placesOf[id] ?? []).slice(0, most)) {
      const length = (before.get(place - 1) ?? 0) + 1;
      current.set(place, length);
      if (length > longest) longest = length;
    }
    before = current;
    return longest;
  });
};

/** Length of the run that each word belongs to. */
export const runsOfWords = (ends: readonly number[]): number[] => {
  const runs = [...ends];
  for (let i = runs.length - 1; i >= 0; i--) {
    const length = ends[i] ?? 0;
    for (let j = i - length + 1; j < i; j++) if (j >= 0 && (runs[j] ?? 0) < length) runs[j] = length;
    // Words of the run were seen: the next one ends before it.
    if (length > 1) i -= length - 1;
  }
  return runs;
};
