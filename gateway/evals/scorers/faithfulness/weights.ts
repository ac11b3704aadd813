import type { FaithfulnessModel } from "./model";

/** Written by `bun bench/reference/fit-faithfulness.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const FAITHFULNESS_MODEL: FaithfulnessModel = {
  record: {
    claim: {
      bias: 3.9014,
      weights: {
        newShare: -0.2842,
        newWeight: -0.4603,
        newGap: -0.6338,
        aroundPassage: 0.4344,
        bestPassage: 0,
        passageGap: -0.3361,
        pairs: 1.0616,
        runs: 0.5827,
        longestRun: 0,
        newNumbers: -1.1187,
        newNames: -0.9549,
        length: 0.1166,
        similarity: 0,
        wrongFacts: -2.878,
        openFacts: -2.4243,
        rightFacts: -0.4646,
        wrongHours: -2.8494,
        rightHours: 1.8891,
      },
    },
    answer: {
      bias: -6.6869,
      weights: { worst: 0.2933, threeWorst: 0.1905, sum: 0.2125, mean: 0.9269, answerLength: 0.7471 },
    },
  },
  text: {
    claim: {
      bias: 2.4525,
      weights: {
        newShare: -1.2571,
        newWeight: -0.0094,
        newGap: -0.3905,
        aroundPassage: 1.0436,
        bestPassage: 0.8639,
        passageGap: -0.2395,
        pairs: 0,
        runs: 0,
        longestRun: 0.7062,
        newNumbers: -2.3778,
        newNames: -1.0982,
        length: -0.0583,
        similarity: 0.6403,
      },
    },
    answer: {
      bias: -0.8734,
      weights: {
        worst: 0.3029,
        threeWorst: 0.3294,
        sum: 0.1155,
        mean: 0.6799,
        answerLength: 0,
        question: -0.0092,
        questionLength: -0.1263,
      },
    },
  },
  statement: {
    claim: {
      bias: -1.4589,
      weights: {
        newShare: -0.4627,
        newWeight: -0.2447,
        newGap: -0.4975,
        aroundPassage: 1.1385,
        bestPassage: 0.1438,
        passageGap: -0.5889,
        pairs: 0.2523,
        runs: 0,
        longestRun: 0,
        newNumbers: -1.0648,
        newNames: -0.4874,
        length: 0.4895,
        similarity: 1.7313,
        plainShare: 0.6342,
        firstPerson: -1.1541,
        negation: -0.2878,
      },
    },
    answer: {
      bias: -0.1392,
      weights: { worst: 0.4895, mean: 0.4438, sum: 0.2177, contextLength: -0.2126, question: -0.5836, known: 3.125 },
    },
  },
};
