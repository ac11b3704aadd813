import type { LogisticModel } from "../logistic";
import type { Evidence } from "./evidence";
import { pairKey, type Source } from "./source";

/** The features of the claim model, in the order of its weights. */
export const CLAIM_FEATURES = [
  "known",
  "aroundPassage",
  "pairs",
  "newNumbers",
  "newNames",
  "wrongFacts",
  "openFacts",
  "reversal",
] as const;
export type ClaimFeature = (typeof CLAIM_FEATURES)[number];
export type ClaimFeatures = Record<ClaimFeature, number>;

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Maximum number of characters compared per passage. */
const MAX_PASSAGE_CHARACTERS = 1000;

/** The weighted fraction of the claim's words that its closest passage and the passages next to it contain. */
const shareAround = ({ ids, known, weights, passages }: Evidence, source: Source): number => {
  const [best] = passages;
  if (best === undefined) return 0;
  const near = [best - 1, best, best + 1].flatMap(
    (passage) => source.passages[passage]?.stems.slice(0, MAX_PASSAGE_CHARACTERS) ?? [],
  );
  const stems = new Set(near);
  const all = total(weights);
  const found = weights.map((weight, at) => {
    const id = ids[at] ?? -1;
    return id === -1 || stems.has(id) ? weight * (known[at] ?? 0) : 0;
  });
  return all > 0 ? total(found) / all : 0;
};

/** The fraction of the claim's pairs of neighbouring words that a context contains. */
const shareOfPairs = (ids: readonly number[], { pairs }: Source): number => {
  const found = ids.filter((id, at) => at > 0 && pairs.has(pairKey(ids[at - 1] ?? -1, id)));
  return ids.length > 1 ? found.length / (ids.length - 1) : 0;
};

/** A name that replaces another also lowers `known`, so it counts less than other reversals. */
const REPLACED_NAME = 0.75;

export const claimFeatures = (evidence: Evidence, source: Source): ClaimFeatures => {
  const { ids, known, words, numbers, attributes, altered } = evidence;
  const count = (verdict: "wrong" | "unknown") =>
    Math.min(2, attributes.filter((finding) => finding.verdict === verdict).length);
  const isReplaced = (at: number) => altered.some(({ start }) => start === words[at]?.start);
  const newNames = evidence.newNames.filter((at) => !isReplaced(at));
  const isOnlyNames = altered.length === evidence.newNames.length - newNames.length;
  const spelled = numbers.missing.filter(({ isSpelled }) => isSpelled).length;
  return {
    known: total(known) / Math.max(1, known.length),
    aroundPassage: shareAround(evidence, source),
    pairs: shareOfPairs(ids, source),
    newNumbers: Math.min(2, numbers.missing.length - 0.7 * spelled),
    newNames: Math.min(3, newNames.length),
    wrongFacts: count("wrong"),
    openFacts: count("unknown"),
    reversal: evidence.reversal || !isOnlyNames ? 1 : altered.length > 0 ? REPLACED_NAME : 0,
  };
};

/** The features of the answer model, in the order of its weights. */
export const ANSWER_FEATURES = ["worst", "mean", "unclaimed", "question"] as const;
export type AnswerFeature = (typeof ANSWER_FEATURES)[number];
export type AnswerFeatures = Record<AnswerFeature, number>;

interface AnswerParts {
  /** Log-odds that each claim is supported, and the number of words of each claim. */
  logits: readonly number[];
  lengths: readonly number[];
  answerWords: number;
  hasQuestion: boolean;
}

/** Maximum log-odds. */
const MAX_LOG_ODDS = 12;

/** Features of an answer with claims. */
export const answerFeatures = ({ logits, lengths, answerWords, hasQuestion }: AnswerParts): AnswerFeatures => ({
  // The logarithm of the weakest claim's probability.
  worst: -Math.log1p(Math.exp(-Math.max(-MAX_LOG_ODDS, Math.min(MAX_LOG_ODDS, ...logits)))),
  mean: total(logits.map((logit, at) => logit * (lengths[at] ?? 1))) / Math.max(1, total(lengths)),
  unclaimed: Math.max(0, 1 - total(lengths) / Math.max(1, answerWords)),
  question: Number(hasQuestion),
});

export interface FaithfulnessModel {
  /** Log-odds that a claim is supported. */
  claim: LogisticModel<ClaimFeature>;
  /** Log-odds that the whole answer is supported. */
  answer: LogisticModel<AnswerFeature>;
}
