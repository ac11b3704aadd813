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

/** The scorers' result for a criterion, before the evaluator's model and errors are added. */
export type ReferenceScore = Pick<ScoredCriterion, "metric" | "value" | "reason" | "claims">;

/** Every fitted or chosen number. Versions of `reference` differ only in these. */
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
 * Scores an answer by comparing texts, without a chat model: correctness if there are references, faithfulness and
 * hallucination if there are contexts. Values are 0…1. The same texts always give the same scores.
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
