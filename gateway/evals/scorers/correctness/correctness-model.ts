import type { LogisticModel } from "../logistic";
import type { CorrectnessFeature } from "./correctness-features";

/** Written by `bun bench/reference/fit-correctness.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL = {
  bias: -2.2038,
  weights: {
    matched: 0.7915,
    matchedInQuestion: -0.6,
    recall: 0.9619,
    f1: 0.6321,
    spelling: 1.0758,
    otherFact: -0.7993,
    otherNumber: -2.5,
    otherSigns: -3,
    bareInside: 0.0747,
    refusal: -0.9086,
    denied: -3,
    opposite: -4,
    late: -0.5,
    rivals: -0.7644,
    opensOtherwise: -1.5,
    earlier: -1,
    cosAnswer: 0.7213,
    cosStatement: 0.569,
    gain: 1.3771,
  },
} satisfies LogisticModel<CorrectnessFeature>;
