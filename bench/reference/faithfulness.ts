import type { ReadAnswer } from "../../gateway/evals/scorers/faithfulness/claims";
import {
  type AnswerFeature,
  answerFeatures,
  type ClaimFeature,
  type FaithfulnessModel,
} from "../../gateway/evals/scorers/faithfulness/faithfulness-features";
import { SILENCE } from "../../gateway/evals/scorers/faithfulness/score-faithfulness";
import type { Shape } from "../../gateway/evals/scorers/faithfulness/source";
import { type LogisticModel, logOdds } from "../../gateway/evals/scorers/logistic";
import { type Example, fitLogistic, type Sign } from "./logistic";
import { stableThreshold } from "./validation";

/** An answer that people have labelled. */
export interface FaithfulnessRow {
  file: string;
  id: string;
  group: string;
  label: 0 | 1;
  answer: string;
  hasQuestion: boolean;
  read: ReadAnswer;
  /** Of each claim: 1 supported, 0 not; null: people did not say of which claim they thought. */
  claimLabels: (0 | 1 | null)[];
  spans: readonly { start: number; end: number }[] | undefined;
}

type Signs<Feature extends string> = Readonly<Partial<Record<Feature, Sign>>>;

const COMMON: Signs<ClaimFeature> = {
  newShare: "negative",
  newGap: "negative",
  aroundPassage: "positive",
  passageGap: "negative",
  newNumbers: "negative",
  newNames: "negative",
  similarity: "positive",
};

const CLAIM_SIGNS: Readonly<Record<Shape, Signs<ClaimFeature>>> = {
  record: {
    ...COMMON,
    runs: "positive",
    wrongFacts: "negative",
    openFacts: "negative",
    rightFacts: "free",
    wrongHours: "negative",
    rightHours: "positive",
  },
  text: { ...COMMON, bestPassage: "positive", longestRun: "positive" },
  statement: {
    ...COMMON,
    plainShare: "positive",
    pairs: "positive",
    firstPerson: "negative",
    negation: "negative",
    length: "free",
  },
};

const ANSWER_SIGNS: Readonly<Record<Shape, Signs<AnswerFeature>>> = {
  record: { worst: "positive", threeWorst: "positive", sum: "positive", mean: "positive", answerLength: "free" },
  text: {
    worst: "positive",
    threeWorst: "positive",
    sum: "positive",
    meanUnasked: "positive",
    question: "free",
    questionLength: "negative",
  },
  statement: { worst: "positive", mean: "positive", question: "free", known: "positive", unclaimed: "negative" },
};

/**
 * Weights that are at least this far below zero, whatever the fit: labelled answers hold too few single wrong numbers and
 * reversals to learn them from.
 */
const GIVEN: Readonly<Partial<Record<ClaimFeature, number>>> = {
  newNumbers: -2,
  reversal: -4,
};

export const SHAPES: readonly Shape[] = ["record", "text", "statement"];
const CLAIM_L2: Readonly<Record<Shape, number>> = { record: 0.02, text: 0.02, statement: 0.1 };
const ANSWER_L2: Readonly<Record<Shape, number>> = { record: 0.03, text: 0.03, statement: 0.02 };

const fitWeights = <Feature extends string>(
  signs: Signs<Feature>,
  rows: readonly { features: Readonly<Record<Feature, number>>; label: 0 | 1 }[],
  l2: number,
  balanced: boolean,
): LogisticModel<Feature> => {
  const names = Object.keys(signs) as Feature[];
  const examples: Example[] = rows.map(({ features, label }) => ({
    features: names.map((name) => features[name]),
    label,
  }));
  const { bias, weights } = fitLogistic(examples, { signs: names.map((name) => signs[name] ?? "free"), l2 });
  const ones = rows.filter(({ label }) => label === 1).length;
  // The fit gives both classes the same importance, which moves the bias by their log-odds.
  const prior = balanced ? 0 : Math.log(ones / (rows.length - ones));
  const named: Partial<Record<Feature, number>> = {};
  for (const [at, name] of names.entries()) named[name] = weights[at] ?? 0;
  return { bias: bias + prior, weights: named };
};

const featuresOf = (row: FaithfulnessRow, claim: LogisticModel<ClaimFeature>) => {
  const { read } = row;
  return answerFeatures({
    logits: read.claims.map(({ features }) => logOdds(claim, features)),
    lengths: read.claims.map(({ evidence }) => evidence.words.length),
    answerWords: read.answerWords,
    hasQuestion: row.hasQuestion,
    knownShare: read.knownShare,
  });
};

/** Claims first, then answers by the log-odds of their claims. Thresholds are left to `centre`. */
export const fitModel = (rows: readonly FaithfulnessRow[]): FaithfulnessModel => {
  const fitShape = (shape: Shape) => {
    const own = rows.filter(({ read }) => read.shape === shape && read.claims.length > 0);
    const claims = own.flatMap(({ read, claimLabels }) =>
      read.claims.flatMap(({ features }, at) => {
        const label = claimLabels[at];
        return label === 0 || label === 1 ? [{ features, label }] : [];
      }),
    );
    const fitted = fitWeights(CLAIM_SIGNS[shape], claims, CLAIM_L2[shape], shape === "statement");
    const given = Object.fromEntries(
      Object.entries(GIVEN).map(([name, most]) => [name, Math.min(most, fitted.weights[name as ClaimFeature] ?? 0)]),
    );
    const claim = { ...fitted, weights: { ...fitted.weights, ...given } };
    const answers = own.map((row) => ({ features: featuresOf(row, claim), label: row.label }));
    return { claim, answer: fitWeights(ANSWER_SIGNS[shape], answers, ANSWER_L2[shape], shape === "statement") };
  };
  return { record: fitShape("record"), text: fitShape("text"), statement: fitShape("statement") };
};

/** Log-odds of an answer without claims. */
const SILENT = Math.log(SILENCE.other.value / (1 - SILENCE.other.value));

export const logitOf = (model: FaithfulnessModel, row: FaithfulnessRow): number => {
  const { claim, answer } = model[row.read.shape];
  return row.read.claims.length > 0 ? logOdds(answer, featuresOf(row, claim)) : SILENT;
};

/** Shapes that share a threshold, as their answers are compared with each other. */
const TOGETHER: readonly (readonly Shape[])[] = [["record", "text"], ["statement"]];

/** Moves the biases so that 0 is the threshold with the best balanced accuracy of `logits`. */
export const centre = (
  model: FaithfulnessModel,
  rows: readonly FaithfulnessRow[],
  logits: readonly number[],
): FaithfulnessModel => {
  const moved = { ...model };
  for (const shapes of TOGETHER) {
    const own = rows.flatMap((row, at) => (shapes.includes(row.read.shape) && row.read.claims.length > 0 ? [at] : []));
    const shift = stableThreshold(
      own.flatMap((at) => {
        const row = rows[at];
        return row ? [{ features: [], label: row.label, group: row.group }] : [];
      }),
      own.map((at) => logits[at] ?? 0),
    );
    for (const shape of shapes) {
      const { claim, answer } = moved[shape];
      moved[shape] = { claim, answer: { ...answer, bias: answer.bias - shift } };
    }
  }
  return moved;
};
