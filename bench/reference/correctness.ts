import type { CorrectnessFeature } from "../../gateway/evals/scorers/correctness/correctness-features";
import type { Sign } from "./logistic";

/** The sign that each weight may have. */
export const SIGNS: Readonly<Record<CorrectnessFeature, Sign>> = {
  matched: "positive",
  matchedInQuestion: "negative",
  recall: "positive",
  f1: "positive",
  spelling: "positive",
  otherFact: "negative",
  otherNumber: "negative",
  otherSigns: "negative",
  bareInside: "positive",
  refusal: "negative",
  denied: "negative",
  opposite: "negative",
  late: "negative",
  rivals: "negative",
  opensOtherwise: "negative",
  earlier: "negative",
  cosAnswer: "positive",
  cosStatement: "positive",
  gain: "positive",
};

/**
 * Weights set by hand: few of the labelled answers deny the reference, give others first, or repeat what the question
 * says, far too few to learn from.
 */
export const GIVEN: Readonly<Partial<Record<CorrectnessFeature, number>>> = {
  denied: -3,
  opposite: -4,
  earlier: -1,
  late: -0.5,
  opensOtherwise: -1.5,
  otherNumber: -2.5,
  otherSigns: -3,
  matchedInQuestion: -0.6,
};

/** Strength of the ridge. */
export const L2 = 0.2;
