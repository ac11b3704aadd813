import type { LogisticModel } from "../logistic";
import type { CorrectnessFeature } from "./correctness-features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL = {
  bias: -1.1847,
  weights: {
    matched: 1.0972,
    recall: 1.3737,
    f1: 0.9046,
    otherFact: -0.8702,
    otherNumber: -2.5,
    refusal: -1.0322,
    denied: -3,
    opposite: -4,
    rivals: -1.1205,
  },
} satisfies LogisticModel<CorrectnessFeature>;
