import type { FaithfulnessModel } from "./model";

/** Written by `bun bench/reference/fit-faithfulness.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  record: {
    claim: {
      bias: 4.1491,
      weights: {
        newShare: -0.6603,
        newGap: -0.843,
        aroundPassage: 0,
        passageGap: -0.4899,
        newNumbers: -2,
        newNames: -0.5958,
        similarity: 0,
        runs: 1.0465,
        wrongFacts: -3.1062,
        openFacts: -2.6734,
        rightFacts: -0.3518,
        wrongHours: -2.7374,
        rightHours: 1.913,
        reversal: -4,
      },
    },
    answer: {
      bias: -7.462,
      weights: { worst: 0.2594, threeWorst: 0.1536, sum: 0.1674, mean: 0.9835, answerLength: 0.7752 },
    },
  },
  text: {
    claim: {
      bias: 2.3877,
      weights: {
        newShare: -1.4337,
        newGap: -0.3168,
        aroundPassage: 1.1234,
        passageGap: -0.339,
        newNumbers: -2.3444,
        newNames: -1.1039,
        similarity: 0.9648,
        bestPassage: 0.353,
        longestRun: 0.6031,
        reversal: -4,
      },
    },
    answer: {
      bias: 0.0042,
      weights: {
        worst: 0.5506,
        threeWorst: 0.559,
        sum: 0.2512,
        meanUnasked: 0.3139,
        question: 0.5336,
        questionLength: -0.0009,
      },
    },
  },
  statement: {
    claim: {
      bias: -2.0767,
      weights: {
        newShare: -0.7504,
        newGap: -0.2994,
        aroundPassage: 0.8512,
        passageGap: -0.3092,
        newNumbers: -2,
        newNames: -0.3011,
        similarity: 1.3121,
        plainShare: 1.2424,
        pairs: 0.6464,
        firstPerson: -0.6347,
        negation: -0.3108,
        length: 0.2822,
        reversal: -4,
      },
    },
    answer: {
      bias: -1.3631,
      weights: { worst: 0.6118, mean: 0.579, question: -0.1639, known: 2.9321, unclaimed: -3.7295 },
    },
  },
};
