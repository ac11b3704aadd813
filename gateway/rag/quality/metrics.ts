import { estimateMean } from "../../evals/statistics/estimate";
import type { Rate } from "../../evals/statistics-contract";

/*
 * Metrics of one ranked list with binary relevance, from 0 to 1. `ranked` has distinct ids, best first; `relevant` is not
 * empty.
 */

/** Fraction of the relevant ids that are among the first `k`. */
export const recallAt = (ranked: readonly string[], relevant: ReadonlySet<string>, k: number): number =>
  ranked.slice(0, k).filter((id) => relevant.has(id)).length / relevant.size;

/** 1 / rank of the first relevant id; 0 if none of the first `k` is relevant. */
export const reciprocalRank = (ranked: readonly string[], relevant: ReadonlySet<string>, k: number): number => {
  const place = ranked.slice(0, k).findIndex((id) => relevant.has(id));
  return place === -1 ? 0 : 1 / (place + 1);
};

/**
 * Normalised discounted cumulative gain: each relevant id among the first `k` gains 1 / log2(rank + 1), divided by the gain
 * of the best possible list (Järvelin and Kekäläinen 2002, "Cumulated gain-based evaluation of IR techniques", with the
 * discount of trec_eval and BEIR, which also counts at rank 2).
 */
export const ndcgAt = (ranked: readonly string[], relevant: ReadonlySet<string>, k: number): number => {
  const gained = ranked.slice(0, k).map((id, place) => (relevant.has(id) ? discount(place) : 0));
  const best = Array.from({ length: Math.min(relevant.size, k) }, (_, place) => discount(place));
  return sum(gained) / sum(best);
};

/** The gain of an id at `place`, which starts at 0. */
const discount = (place: number): number => 1 / Math.log2(place + 2);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Mean of values between 0 and 1, with its 95 % interval; null if there are no values. */
export const meanShare = (values: readonly number[]): Rate | null => {
  const { value, interval } = estimateMean(values, { range: [0, 1] });
  return value === null ? null : { value, interval };
};
