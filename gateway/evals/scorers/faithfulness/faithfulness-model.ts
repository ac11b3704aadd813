import type { FaithfulnessModel } from "./faithfulness-features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  claim: {
    bias: -2.3453,
    weights: {
      known: 3.174,
      aroundPassage: 0.545,
      pairs: 0.3,
      newNumbers: -2,
      newNames: -0.6535,
      wrongFacts: -1.7952,
      openFacts: -1.5713,
      reversal: -4,
    },
  },
  answer: { bias: 0.0113, weights: { worst: 0.652, mean: 1.0462, unclaimed: -1.8965, question: -0.2765 } },
};
