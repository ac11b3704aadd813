import type { LogisticModel } from "../logistic";
import { isNegative } from "../text/negation";
import type { Evidence } from "./evidence";
import type { Shape, Source } from "./source";
import { heaviestGap } from "./word-support";

/** The features of the claim model, in the order of its weights. */
export const CLAIM_FEATURES = [
  "newShare",
  "newGap",
  "plainShare",
  "bestPassage",
  "aroundPassage",
  "passageGap",
  "runs",
  "longestRun",
  "pairs",
  "newNumbers",
  "newNames",
  "wrongFacts",
  "openFacts",
  "rightFacts",
  "wrongHours",
  "rightHours",
  "firstPerson",
  "negation",
  "reversal",
  "length",
  "similarity",
] as const;
export type ClaimFeature = (typeof CLAIM_FEATURES)[number];
export type ClaimFeatures = Record<ClaimFeature, number>;

const FIRST_PERSON = /^(?:i|im|ive|id|my|me|we|our|us)$/;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Which words of the claim a set of passages has. */
const supportBy = ({ ids, known }: Evidence, source: Source, passages: readonly number[]): number[] => {
  const has = new Set<number>();
  for (const place of passages) {
    const passage = source.passages[place];
    for (let at = passage?.from ?? 0; at < Math.min(passage?.to ?? 0, (passage?.from ?? 0) + 1000); at++)
      has.add(source.words[at] ?? -2);
  }
  return ids.map((id, at) => (id === -1 ? (known[at] ?? 0) : has.has(id) ? (known[at] ?? 0) : 0));
};

const covered = (weights: readonly number[], support: readonly number[]): number => {
  const all = sum(weights);
  return all > 0 ? sum(weights.map((weight, at) => weight * (support[at] ?? 0))) / all : 0;
};

const SUPPORT_COST = 0.7;

/** The features of a claim. `similarity`: the highest cosine to one of its windows. */
export const claimFeatures = (evidence: Evidence, source: Source, similarity: number): ClaimFeatures => {
  const { words, weights, known, ends, windows, numbers, newNames, attributes, hours } = evidence;
  const all = Math.max(1, words.length);
  const total = sum(weights);
  const fresh = sum(weights.map((weight, at) => weight * (1 - (known[at] ?? 0))));
  const [first] = windows;
  const one = first ? supportBy(evidence, source, [first.passage]) : [];
  const near = first ? supportBy(evidence, source, [first.passage - 1, first.passage, first.passage + 1]) : [];
  const count = (verdict: "right" | "wrong" | "unknown") =>
    Math.min(2, attributes.filter((finding) => finding.verdict === verdict).length);
  const isNegated = words.some(isNegative);
  return {
    newShare: total > 0 ? fresh / total : 0,
    newGap: Math.log1p(heaviestGap(weights, known, SUPPORT_COST).weight),
    plainShare: sum(known) / all,
    bestPassage: covered(weights, one),
    aroundPassage: covered(weights, near),
    passageGap: Math.log1p(heaviestGap(weights, near, SUPPORT_COST).weight),
    runs: Math.log1p(sum(evidence.fragments) / all),
    longestRun: ends.reduce((most, end) => Math.max(most, end), 0) / all,
    pairs: ends.length > 1 ? ends.filter((end) => end > 1).length / (ends.length - 1) : 0,
    newNumbers: Math.min(
      2,
      numbers.missing.filter(({ isSpelled }) => !isSpelled).length +
        0.3 * numbers.missing.filter(({ isSpelled }) => isSpelled).length,
    ),
    newNames: Math.min(3, newNames.length),
    wrongFacts: count("wrong"),
    openFacts: count("unknown"),
    rightFacts: count("right"),
    wrongHours: Number(hours.some(({ isRight }) => !isRight)),
    rightHours: Number(hours.length > 0 && hours.every(({ isRight }) => isRight)),
    firstPerson: Number(words.some(({ norm }) => FIRST_PERSON.test(norm))),
    negation: Number(isNegated),
    reversal: Number(evidence.reversal !== undefined || evidence.altered.length > 0),
    length: Math.log1p(weights.filter((weight) => weight > 0).length),
    similarity,
  };
};

/** The features of the answer model, in the order of its weights. */
export const ANSWER_FEATURES = [
  "worst",
  "threeWorst",
  "sum",
  "mean",
  "meanUnasked",
  "answerLength",
  "question",
  "questionLength",
  "known",
  "unclaimed",
] as const;
export type AnswerFeature = (typeof ANSWER_FEATURES)[number];
export type AnswerFeatures = Record<AnswerFeature, number>;

interface AnswerParts {
  /** Log-odds that each claim is supported, and the number of words of each claim. */
  logits: readonly number[];
  lengths: readonly number[];
  answerWords: number;
  hasQuestion: boolean;
  /** Share of the answer's words that the contexts have. */
  knownShare: number;
}

/** Log-odds are capped at this value. */
const MOST = 12;

/** Natural logarithm of the probability of given log-odds. */
const logProbability = (logit: number): number => -Math.log1p(Math.exp(-Math.max(-MOST, Math.min(MOST, logit))));

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Features of an answer with claims. A sum of log probabilities is the log probability that all are supported. */
export const answerFeatures = (parts: AnswerParts): AnswerFeatures => {
  const { logits, lengths, answerWords, hasQuestion, knownShare } = parts;
  const probabilities = logits.map(logProbability).sort((a, b) => a - b);
  const mean = total(logits.map((logit, at) => logit * (lengths[at] ?? 1))) / Math.max(1, total(lengths));
  const length = Math.log(Math.max(1, answerWords));
  return {
    worst: probabilities[0] ?? 0,
    threeWorst: total(probabilities.slice(0, 3)),
    sum: Math.max(-50, total(probabilities)),
    mean,
    meanUnasked: hasQuestion ? 0 : mean,
    answerLength: length,
    question: Number(hasQuestion),
    questionLength: hasQuestion ? length : 0,
    known: knownShare,
    unclaimed: Math.max(0, 1 - total(lengths) / Math.max(1, answerWords)),
  };
};

/** The models for answers of one shape. */
export interface ShapeModel {
  /** Log-odds that a claim is supported. */
  claim: LogisticModel<ClaimFeature>;
  /** Log-odds that the whole answer is supported. */
  answer: LogisticModel<AnswerFeature>;
}

export type FaithfulnessModel = Readonly<Record<Shape, ShapeModel>>;
