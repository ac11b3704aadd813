import type { LogisticModel } from "../model";
import type { CorrectnessFeature } from "./features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL: LogisticModel<CorrectnessFeature> = {
  bias: -2.0427,
  weights: {
    stated: 0.7951,
    statedInQuestion: -0.6,
    recall: 0.9674,
    f1: 0.6222,
    spelling: 1.0815,
    partOfDate: 0,
    otherFact: -0.7963,
    otherNumber: -1.5,
    bareInside: 0.0759,
    refusal: -0.905,
    denied: -3,
    opposite: -3,
    late: -0.5,
    rivals: -0.7616,
    opensOtherwise: -1.5,
    earlier: -1,
    cosAnswer: 0.7173,
    cosStatement: 0.5681,
    gain: 1.3831,
  },
};
