import type { LogisticModel } from "../logistic";
import type { CorrectnessFeature } from "./correctness-features";

/** Written by `bun bench/reference/fit.ts FOLDER`. A released version never changes: a new fit is a new version. */
export const CORRECTNESS_MODEL = {
  bias: -1.1687,
  weights: {
    matched: 1.0781,
    recall: 1.3601,
    f1: 0.9013,
    otherFact: -0.8101,
    refusal: -1.0053,
    denied: -3,
    opposite: -4,
    rivals: -1.0873,
  },
} satisfies LogisticModel<CorrectnessFeature>;
