import type { ScoredAnswer, ScoredCriterion } from "../scored-answer";
import { CORRECTNESS_MODEL } from "./correctness/correctness-model";
import { scoreCorrectness } from "./correctness/score-correctness";
import { FAITHFULNESS_MODEL } from "./faithfulness/faithfulness-model";
import {
  CLAIM_CENTRE,
  SILENCE,
  SUPPORTED_FROM,
  scoreFaithfulness,
  UNSUPPORTED_BELOW,
} from "./faithfulness/score-faithfulness";

export { claimSpans } from "./faithfulness/claims";

/** One criterion as the scorers give it, before the evaluator's model and errors are added. */
export type ReferenceScore = Pick<ScoredCriterion, "metric" | "value" | "reason" | "claims">;

/** Every number that was fitted or chosen: what tells versions of `reference` apart. */
export const REFERENCE_CONSTANTS = {
  correctness: CORRECTNESS_MODEL,
  faithfulness: FAITHFULNESS_MODEL,
  claims: {
    centre: CLAIM_CENTRE,
    supportedFrom: SUPPORTED_FROM,
    unsupportedBelow: UNSUPPORTED_BELOW,
    none: SILENCE.other.value,
  },
} as const;

/**
 * Scores an answer by its texts alone, without a model: correctness where there are references, faithfulness and
 * hallucination where there are contexts. Values are 0…1. Equal texts give equal scores.
 */
export const scoreReference = (answer: ScoredAnswer): ReferenceScore[] => {
  const scores: ReferenceScore[] = [];
  if (answer.references.length > 0) {
    scores.push({ metric: "correctness", ...scoreCorrectness(answer), claims: [] });
  }
  if (answer.contexts.length > 0) {
    const { faithfulness, hallucination, claims } = scoreFaithfulness(answer);
    scores.push(
      { metric: "faithfulness", ...faithfulness, claims },
      { metric: "hallucination", ...hallucination, claims },
    );
  }
  return scores;
};
