import type { Reads } from "../../db/client";
import { listMemberKeys } from "../../db/samples";
import type { SampleChoice } from "../evals/contract";

/** Members read per statement, with a turn for other work in between. */
const WINDOW = 5000;

/** A revision of a dataset, with its number of samples. */
export interface ChosenRevision {
  id: string;
  samples: number;
}

/** The positions of a revision's windows. */
export async function* windowsOf({ samples }: ChosenRevision): AsyncGenerator<{ from: number; window: number }> {
  for (let from = 0; from < samples; from += WINDOW) {
    yield { from, window: WINDOW };
    await Bun.sleep(0);
  }
}

/** Decides whether a random subset contains the sample with this key. */
export type Selection = (key: string) => boolean;

/** A 53-bit hash of the key, which depends on the seed. */
const rankOf = (key: string, seed: number): number => Number(Bun.hash.xxHash64(key, BigInt(seed)) >> 11n);

/**
 * Chooses the samples of a run. A random subset holds the samples with the lowest hashes of their keys, so a larger subset
 * with the same seed contains a smaller one, and the order of the dataset doesn't matter. Returns how many there are.
 */
export const selectSamples = async (
  db: Reads,
  revision: ChosenRevision,
  { tags, limit = Number.POSITIVE_INFINITY }: SampleChoice,
  seed: number,
): Promise<{ count: number; includes: Selection }> => {
  if (limit >= revision.samples && tags === undefined) return { count: revision.samples, includes: () => true };
  const ranks: number[] = [];
  for await (const window of windowsOf(revision)) {
    for (const { key } of await listMemberKeys(db, revision.id, { ...window, tags })) ranks.push(rankOf(key, seed));
  }
  if (limit >= ranks.length) return { count: ranks.length, includes: () => true };
  const sorted = Float64Array.from(ranks).sort();
  const last = sorted[limit - 1] ?? -1;
  return { count: limit, includes: (key) => rankOf(key, seed) <= last };
};
