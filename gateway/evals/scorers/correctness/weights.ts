import type { LogisticModel } from "../model";
import type { CorrectnessFeature } from "./features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL: LogisticModel<CorrectnessFeature> = {
  bias: -2.0192,
  weights: {
    stated: 0.7894,
    statedInQuestion: -0.6,
    recall: 0.965,
    f1: 0.6166,
    spelling: 1.0762,
    partOfDate: 0.1582,
    otherFact: -0.71,
    otherNumber: -1.5,
    bareInside: 0.0719,
    refusal: -0.886,
    denied: -3,
    opposite: -3,
    late: -0.5,
    rivals: -0.7736,
    opensOtherwise: -1,
    earlier: -1,
    cosAnswer: 0.6965,
    cosStatement: 0.5925,
    gain: 1.3639,
    length: -0.0476,
  },
};
