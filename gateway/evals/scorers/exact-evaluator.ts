import type { ScoredAnswer } from "../scored-answer";
import type { ReferenceScore } from "./reference-evaluator";
import { ARTICLES, readWords } from "./text/words";

/** Words without case, punctuation, diacritics and articles (normalised as in SQuAD, Rajpurkar et al. 2016). */
export const plainWords = (text: string): string[] =>
  readWords(text)
    .map(({ norm }) => norm)
    .filter((word) => !ARTICLES.has(word));

/**
 * Correctness by exact match: 1 if the answer has the same words as a reference answer, otherwise 0. Case, punctuation,
 * diacritics and articles don't matter. Empty without references.
 */
export const scoreExact = ({ references, output }: ScoredAnswer): ReferenceScore[] => {
  if (references.length === 0) return [];
  const given = plainWords(output).join(" ");
  const match = references.find((reference) => plainWords(reference).join(" ") === given);
  const reason = match === undefined ? "No reference answer has the same words." : `Same words as "${match}".`;
  return [{ metric: "correctness", value: match === undefined ? 0 : 1, reason, claims: [] }];
};
