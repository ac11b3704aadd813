import { createRandom } from "../../gateway/evals/statistics/random";

/** The fold of each item, 0…`count` − 1. Items of a group share one; the seed decides which. */
export const foldsOf = (groups: readonly string[], count: number, seed: number): number[] => {
  const names = [...new Set(groups)].sort();
  const random = createRandom(seed);
  for (let last = names.length - 1; last > 0; last--) {
    const other = random.nextBelow(last + 1);
    [names[last], names[other]] = [names[other] ?? "", names[last] ?? ""];
  }
  const foldOf = new Map(names.map((name, place) => [name, place % count]));
  return groups.map((group) => foldOf.get(group) ?? 0);
};
