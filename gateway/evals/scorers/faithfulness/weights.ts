import type { FaithfulnessModel } from "./model";

/** Written by `bun bench/reference/fit-faithfulness.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  record: {
    claim: {
      bias: 3.9792,
      weights: {
        newShare: -0.5999,
        newGap: -0.8006,
        aroundPassage: 0.3551,
        passageGap: -0.4887,
        newNumbers: -1.1398,
        newNames: -0.605,
        similarity: 0,
        runs: 1.0033,
        wrongFacts: -3.091,
        openFacts: -2.6582,
        rightFacts: -0.3656,
        wrongHours: -2.7844,
        rightHours: 1.8794,
      },
    },
    answer: {
      bias: -7.3072,
      weights: { worst: 0.3273, threeWorst: 0.1862, sum: 0.1986, mean: 0.9673, answerLength: 0.7672 },
    },
  },
  text: {
    claim: {
      bias: 2.367,
      weights: {
        newShare: -1.2261,
        newGap: -0.4045,
        aroundPassage: 1.0062,
        passageGap: -0.2691,
        newNumbers: -2.3752,
        newNames: -1.1047,
        similarity: 0.6078,
        bestPassage: 0.8617,
        longestRun: 0.7373,
      },
    },
    answer: {
      bias: 0.0319,
      weights: {
        worst: 0.5326,
        threeWorst: 0.5496,
        sum: 0.2554,
        meanUnasked: 0.3139,
        question: 0.5604,
        questionLength: -0.0064,
      },
    },
  },
  statement: {
    claim: {
      bias: -3.5337,
      weights: {
        newShare: -0.5417,
        newGap: -0.2735,
        aroundPassage: 1.2635,
        passageGap: -0.5691,
        newNumbers: -1.12,
        newNames: -0.5077,
        similarity: 2.1434,
        plainShare: 1.845,
        firstPerson: -0.9728,
        negation: -0.2671,
        length: 0.6325,
      },
    },
    answer: {
      bias: -1.2813,
      weights: { worst: 0.5174, mean: 0.5357, question: -0.0288, known: 2.5118, unclaimed: -3.8414 },
    },
  },
};
