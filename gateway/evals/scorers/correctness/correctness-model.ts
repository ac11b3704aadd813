import type { LogisticModel } from "../logistic";
import type { CorrectnessFeature } from "./correctness-features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL = {
  bias: -1.1825,
  weights: {
    matched: 1.0962,
    recall: 1.3718,
    f1: 0.9039,
    otherFact: -0.8702,
    otherNumber: -2.5,
    refusal: -1.1246,
    denied: -3,
    opposite: -4,
    rivals: -1.1229,
  },
} satisfies LogisticModel<CorrectnessFeature>;
