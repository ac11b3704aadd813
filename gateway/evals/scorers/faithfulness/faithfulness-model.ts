import type { FaithfulnessModel } from "./faithfulness-features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  claim: {
    bias: -2.318,
    weights: {
      known: 2.9917,
      aroundPassage: 0.6211,
      pairs: 0.3,
      newNumbers: -2,
      newNames: -0.6344,
      wrongFacts: -1.7497,
      openFacts: -1.5161,
      reversal: -4,
    },
  },
  answer: { bias: 0.0278, weights: { worst: 0.6117, mean: 1.1619, unclaimed: -1.7862, question: -0.4901 } },
};
