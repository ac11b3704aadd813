import type { LogisticModel } from "../logistic";
import type { CorrectnessFeature } from "./correctness-features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL = {
  bias: -1.1889,
  weights: {
    matched: 1.0982,
    recall: 1.3753,
    f1: 0.9057,
    otherFact: -0.913,
    refusal: -1.0294,
    denied: -3,
    opposite: -4,
    rivals: -1.1079,
  },
} satisfies LogisticModel<CorrectnessFeature>;
