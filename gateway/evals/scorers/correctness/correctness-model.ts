import type { LogisticModel } from "../logistic";
import type { CorrectnessFeature } from "./correctness-features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes; a new fit is a new version. */
export const CORRECTNESS_MODEL = {
  bias: -1.1681,
  weights: {
    matched: 1.0807,
    recall: 1.3597,
    f1: 0.8952,
    otherFact: -0.8099,
    refusal: -1.005,
    denied: -3,
    opposite: -4,
    rivals: -1.0869,
  },
} satisfies LogisticModel<CorrectnessFeature>;
