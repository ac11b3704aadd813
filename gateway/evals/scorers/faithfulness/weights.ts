import type { FaithfulnessModel } from "./model";

/** Written by `bun bench/reference/fit-faithfulness.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  record: {
    claim: {
      bias: 4.144,
      weights: {
        newShare: -0.6581,
        newGap: -0.8445,
        aroundPassage: 0,
        passageGap: -0.4868,
        newNumbers: -2,
        newNames: -0.5958,
        similarity: 0,
        runs: 1.0481,
        wrongFacts: -3.1026,
        openFacts: -2.6686,
        rightFacts: -0.3553,
        wrongHours: -2.7363,
        rightHours: 1.9136,
        reversal: -4,
      },
    },
    answer: {
      bias: -7.4265,
      weights: { worst: 0.2604, threeWorst: 0.1538, sum: 0.1665, mean: 0.9841, answerLength: 0.7702 },
    },
  },
  text: {
    claim: {
      bias: 2.3496,
      weights: {
        newShare: -1.1952,
        newGap: -0.4219,
        aroundPassage: 0.9969,
        passageGap: -0.2576,
        newNumbers: -2.3748,
        newNames: -1.0978,
        similarity: 0.6197,
        bestPassage: 0.8563,
        longestRun: 0.7577,
        reversal: -4,
      },
    },
    answer: {
      bias: 0.0129,
      weights: {
        worst: 0.5438,
        threeWorst: 0.5507,
        sum: 0.2526,
        meanUnasked: 0.3125,
        question: 0.5576,
        questionLength: -0.007,
      },
    },
  },
  statement: {
    claim: {
      bias: -2.0285,
      weights: {
        newShare: -0.7983,
        newGap: -0.3152,
        aroundPassage: 0.9509,
        passageGap: -0.3407,
        newNumbers: -2,
        newNames: -0.3181,
        similarity: 1.4324,
        plainShare: 1.3413,
        firstPerson: -0.6453,
        negation: -0.3002,
        length: 0.3248,
        reversal: -4,
      },
    },
    answer: {
      bias: -1.5994,
      weights: { worst: 0.6089, mean: 0.5898, question: -0.095, known: 3.0092, unclaimed: -3.746 },
    },
  },
};
