import type { FaithfulnessModel } from "./model";

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
      bias: -7.3834,
      weights: { worst: 0.3999, threeWorst: 0.2226, sum: 0.2226, mean: 0.8818, answerLength: 0.8498 },
    },
  },
  text: {
    claim: {
      bias: 2.4048,
      weights: {
        newShare: -1.4603,
        newGap: -0.302,
        aroundPassage: 1.164,
        passageGap: -0.3333,
        newNumbers: -2.5062,
        newNames: -1.1064,
        similarity: 0.8973,
        bestPassage: 0.3876,
        longestRun: 0.5767,
        reversal: -4,
      },
    },
    answer: {
      bias: -0.0717,
      weights: {
        worst: 0.513,
        threeWorst: 0.5226,
        sum: 0.2392,
        meanUnasked: 0.3342,
        question: 0.5834,
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
