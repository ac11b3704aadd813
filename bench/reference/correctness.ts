import { CORRECTNESS_BASELINES } from "../../gateway/evals/scorers/baselines";
import { type CorrectnessFeature, findCorrectness } from "../../gateway/evals/scorers/correctness/features";
import type { Sign } from "./logistic";
import type { FitTask } from "./task";

const signs: Readonly<Record<CorrectnessFeature, Sign>> = {
  stated: "positive",
  statedInQuestion: "negative",
  recall: "positive",
  f1: "positive",
  spelling: "positive",
  partOfDate: "positive",
  otherFact: "negative",
  otherNumber: "negative",
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

export const CORRECTNESS_TASK: FitTask = {
  task: "correctness",
  signs,
  // Few labelled answers deny the reference, give others first, or repeat what the question says.
  given: {
    denied: -3,
    opposite: -4,
    earlier: -1,
    late: -0.5,
    opensOtherwise: -1.5,
    otherNumber: -2.5,
    statedInQuestion: -0.6,
  },
  l2: 0.2,
  featuresOf: async (answer, embed) => (await findCorrectness(answer, embed)).features,
  baselines: CORRECTNESS_BASELINES,
  weights: {
    path: "gateway/evals/scorers/correctness/weights.ts",
    name: "CORRECTNESS_MODEL",
    featureType: "CorrectnessFeature",
    featureModule: "./features",
    modelModule: "../model",
  },
};
