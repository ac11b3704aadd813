import type { FaithfulnessModel } from "./faithfulness-features";

/** Written by `bun bench/reference/fit-faithfulness.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  record: {
    claim: {
      bias: 4.0589,
      weights: {
        newShare: -0.6162,
        newGap: -0.8716,
        aroundPassage: 0.2728,
        passageGap: -0.4253,
        newNumbers: -2,
        newNames: -0.5996,
        similarity: 0,
        runs: 0.9418,
        wrongFacts: -3.1046,
        openFacts: -2.6658,
        rightFacts: -0.3728,
        wrongHours: -2.9673,
        rightHours: 1.8816,
        reversal: -4,
      },
    },
    answer: {
      bias: -7.4042,
      weights: { worst: 0.3999, threeWorst: 0.2226, sum: 0.2226, mean: 0.8818, answerLength: 0.8498 },
    },
  },
  text: {
    claim: {
      bias: 2.3364,
      weights: {
        newShare: -1.4985,
        newGap: -0.2816,
        aroundPassage: 1.1737,
        passageGap: -0.3207,
        newNumbers: -2.5022,
        newNames: -1.11,
        similarity: 0.9502,
        bestPassage: 0.3948,
        longestRun: 0.5891,
        reversal: -4,
      },
    },
    answer: {
      bias: -0.0759,
      weights: {
        worst: 0.5438,
        threeWorst: 0.526,
        sum: 0.2387,
        meanUnasked: 0.3314,
        question: 0.5733,
        questionLength: 0,
      },
    },
  },
  statement: {
    claim: {
      bias: -2.0709,
      weights: {
        newShare: -0.7608,
        newGap: -0.3175,
        aroundPassage: 0.8266,
        passageGap: -0.2985,
        newNumbers: -2,
        newNames: -0.2996,
        similarity: 1.3161,
        plainShare: 1.248,
        pairs: 0.6434,
        firstPerson: -0.635,
        negation: -0.3118,
        length: 0.289,
        reversal: -4,
      },
    },
    answer: {
      bias: -1.3824,
      weights: { worst: 0.6136, mean: 0.5806, question: -0.1754, known: 2.965, unclaimed: -3.7228 },
    },
  },
};
