import type { LogisticModel } from "../model";
import type { CorrectnessFeature } from "./features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL: LogisticModel<CorrectnessFeature> = {
  bias: -1.9375,
  weights: {
    stated: 0.7501,
    statedInQuestion: -0.6,
    recall: 0.9536,
    f1: 0.6467,
    spelling: 1.0845,
    partOfDate: 0.1815,
    otherFact: -0.7933,
    bareInside: 0.0771,
    refusal: -0.849,
    denied: -3,
    opposite: -3,
    late: -0.5,
    rivals: -0.7731,
    opensOtherwise: -0.3463,
    earlier: -0.6,
    cosAnswer: 0.7245,
    cosStatement: 0.5761,
    gain: 1.3649,
    length: -0.117,
  },
};
