import type { FaithfulnessModel } from "./faithfulness-features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  claim: {
    bias: -2.3173,
    weights: {
      known: 2.9912,
      aroundPassage: 0.6206,
      pairs: 0.3,
      newNumbers: -2,
      newNames: -0.6345,
      wrongFacts: -1.7499,
      openFacts: -1.5162,
      reversal: -4,
    },
  },
  answer: { bias: 0.0269, weights: { worst: 0.6106, mean: 1.1621, unclaimed: -1.7866, question: -0.4899 } },
};
