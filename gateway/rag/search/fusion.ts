/** The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher 2009). */
const RRF_K = 60;

/**
 * score: weighted sum of both scores, each scaled to 0…1 over the candidates. The keyword score's weight is
 * 1 − `vectorWeight`. rank: reciprocal rank fusion.
 */
export type Fusion = { kind: "score"; vectorWeight: number } | { kind: "rank" };

/** A candidate of at least one retriever. It has both scores, and a rank from each retriever that found it. */
export interface Candidate {
  vectorScore: number;
  keywordScore: number;
  /** From 1. */
  vectorRank: number | null;
  keywordRank: number | null;
}

/** Fused scores, 0 to 1, in the order of `candidates`. */
export const fuse = (candidates: readonly Candidate[], fusion: Fusion): number[] => {
  if (fusion.kind === "rank") return candidates.map(reciprocalRanks);
  const vector = minMax(candidates.map(({ vectorScore }) => vectorScore));
  const keyword = minMax(candidates.map(({ keywordScore }) => keywordScore));
  const { vectorWeight } = fusion;
  return candidates.map((_, i) => vectorWeight * (vector[i] ?? 0) + (1 - vectorWeight) * (keyword[i] ?? 0));
};

/** Scales scores so that the lowest is 0 and the highest 1. Equal scores all become 0. */
const minMax = (scores: readonly number[]): number[] => {
  const low = Math.min(...scores);
  const range = Math.max(...scores) - low;
  return scores.map((score) => (range === 0 ? 0 : (score - low) / range));
};

/** 1 for a chunk that both retrievers rank first. */
const reciprocalRanks = ({ vectorRank, keywordRank }: Candidate): number =>
  (reciprocal(vectorRank) + reciprocal(keywordRank)) / 2;

const reciprocal = (rank: number | null): number => (rank === null ? 0 : (RRF_K + 1) / (RRF_K + rank));
