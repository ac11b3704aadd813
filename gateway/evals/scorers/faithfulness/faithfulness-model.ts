import type { FaithfulnessModel } from "./faithfulness-features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes; a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  claim: {
    bias: -2.3175,
    weights: {
      known: 2.9967,
      aroundPassage: 0.6225,
      pairs: 0.3,
      newNumbers: -2,
      newNames: -0.6224,
      wrongFacts: -1.7521,
      openFacts: -1.5377,
      reversal: -4,
    },
  },
  answer: { bias: -0.0143, weights: { worst: 0.6269, mean: 1.1577, unclaimed: -1.47, question: -0.4961 } },
};
