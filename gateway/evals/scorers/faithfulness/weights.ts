import type { FaithfulnessModel } from "./model";

/** Written by `bun bench/reference/fit-faithfulness.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  record: {
    claim: {
      bias: 4.1481,
      weights: {
        newShare: -0.6571,
        newGap: -0.844,
        aroundPassage: 0,
        passageGap: -0.4898,
        newNumbers: -2,
        newNames: -0.5957,
        similarity: 0,
        runs: 1.0472,
        wrongFacts: -3.1063,
        openFacts: -2.6735,
        rightFacts: -0.3518,
        wrongHours: -2.7368,
        rightHours: 1.9134,
        reversal: -4,
      },
    },
    answer: {
      bias: -7.4312,
      weights: { worst: 0.2596, threeWorst: 0.1536, sum: 0.1672, mean: 0.9839, answerLength: 0.7711 },
    },
  },
  text: {
    claim: {
      bias: 2.3494,
      weights: {
        newShare: -1.1948,
        newGap: -0.422,
        aroundPassage: 0.9966,
        passageGap: -0.2578,
        newNumbers: -2.3749,
        newNames: -1.0978,
        similarity: 0.6196,
        bestPassage: 0.857,
        longestRun: 0.7595,
        reversal: -4,
      },
    },
    answer: {
      bias: 0.0116,
      weights: {
        worst: 0.5434,
        threeWorst: 0.5504,
        sum: 0.2524,
        meanUnasked: 0.3128,
        question: 0.5583,
        questionLength: -0.0069,
      },
    },
  },
  statement: {
    claim: {
      bias: -2.1148,
      weights: {
        newShare: -0.7347,
        newGap: -0.2848,
        aroundPassage: 0.857,
        passageGap: -0.3061,
        newNumbers: -2,
        newNames: -0.3108,
        similarity: 1.3162,
        plainShare: 1.212,
        pairs: 0.64,
        firstPerson: -0.6394,
        negation: -0.3111,
        length: 0.3058,
        reversal: -4,
      },
    },
    answer: {
      bias: -1.3883,
      weights: { worst: 0.6118, mean: 0.5761, question: -0.1354, known: 2.8934, unclaimed: -3.7611 },
    },
  },
};
