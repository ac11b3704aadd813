import type { LogisticModel } from "../model";
import type { CorrectnessFeature } from "./features";

/** Written by `bun bench/reference/fit-correctness.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL: LogisticModel<CorrectnessFeature> = {
  bias: -2.2033,
  weights: {
    stated: 0.7936,
    statedInQuestion: -0.6,
    recall: 0.9641,
    f1: 0.6209,
    spelling: 1.0779,
    otherFact: -0.7999,
    otherNumber: -2.5,
    otherSigns: -3,
    bareInside: 0.0755,
    refusal: -0.9097,
    denied: -3,
    opposite: -4,
    late: -0.5,
    rivals: -0.7668,
    opensOtherwise: -1.5,
    earlier: -1,
    cosAnswer: 0.7193,
    cosStatement: 0.5697,
    gain: 1.3785,
  },
};
