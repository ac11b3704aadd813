import type { FaithfulnessModel } from "./model";

/** Written by `bun bench/reference/fit-faithfulness.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  record: {
    claim: {
      bias: 4.0585,
      weights: {
        newShare: -0.6133,
        newGap: -0.8725,
        aroundPassage: 0.2717,
        passageGap: -0.4254,
        newNumbers: -2,
        newNames: -0.5995,
        similarity: 0,
        runs: 0.9426,
        wrongFacts: -3.1047,
        openFacts: -2.6659,
        rightFacts: -0.3728,
        wrongHours: -2.9666,
        rightHours: 1.8821,
        reversal: -4,
      },
    },
    answer: {
      bias: -7.3741,
      weights: { worst: 0.4001, threeWorst: 0.2226, sum: 0.2224, mean: 0.8822, answerLength: 0.8462 },
    },
  },
  text: {
    claim: {
      bias: 2.3676,
      weights: {
        newShare: -1.2217,
        newGap: -0.4087,
        aroundPassage: 1.0355,
        passageGap: -0.2502,
        newNumbers: -2.5429,
        newNames: -1.1007,
        similarity: 0.5476,
        bestPassage: 0.8952,
        longestRun: 0.7367,
        reversal: -4,
      },
    },
    answer: {
      bias: -0.0933,
      weights: {
        worst: 0.5013,
        threeWorst: 0.5126,
        sum: 0.2398,
        meanUnasked: 0.3357,
        question: 0.597,
        questionLength: -0.0018,
      },
    },
  },
  statement: {
    claim: {
      bias: -2.1088,
      weights: {
        newShare: -0.7446,
        newGap: -0.303,
        aroundPassage: 0.8322,
        passageGap: -0.2954,
        newNumbers: -2,
        newNames: -0.3092,
        similarity: 1.32,
        plainShare: 1.2175,
        pairs: 0.6373,
        firstPerson: -0.6397,
        negation: -0.312,
        length: 0.3125,
        reversal: -4,
      },
    },
    answer: {
      bias: -1.4226,
      weights: { worst: 0.6135, mean: 0.5778, question: -0.1465, known: 2.9248, unclaimed: -3.7556 },
    },
  },
};
