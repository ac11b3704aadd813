import type { ScoredAnswer } from "../scored-answer";
import { plainWords } from "./exact-evaluator";
import { indexOfRun, lcsLength, recall, rougeL, runsOf, tokenF1 } from "./text/overlap";

/** L2-normalised vectors in input order. An empty text gets a zero vector. */
export type EmbedTexts = (texts: readonly string[]) => Promise<Float32Array[]>;

/** Cosine of two L2-normalised vectors, -1…1. */
const cosine = (a: Float32Array | undefined, b: Float32Array | undefined): number =>
  a && b ? a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0) : 0;

/** A simple scorer to compare with; higher is better. */
type Baseline = (answer: ScoredAnswer) => number;

type Compare = (reference: string[], output: string[]) => number;

/** The highest score over all references. */
const byWords =
  (compare: Compare): Baseline =>
  ({ references, output }) => {
    const given = plainWords(output);
    return Math.max(0, ...references.map((reference) => compare(plainWords(reference), given)));
  };

const isSame: Compare = (reference, output) => Number(reference.join(" ") === output.join(" "));
const isPart: Compare = (reference, output) => Number(indexOfRun(output, reference) >= 0);
const contains = byWords(isPart);
const tokenRecall = byWords(recall);

export const CORRECTNESS_BASELINES: Readonly<Record<string, Baseline>> = {
  "exact match": byWords(isSame),
  contains,
  "token F1": byWords(tokenF1),
  "token recall": tokenRecall,
  "ROUGE-L": byWords(rougeL),
};

/** The cosine of the answer and the reference closest to it, -1…1. */
const closestReference = async ({ references, output }: ScoredAnswer, embed: EmbedTexts): Promise<number> => {
  const [answer, ...vectors] = await embed([output, ...references]);
  return Math.max(...vectors.map((vector) => cosine(answer, vector)));
};

/** Simple correctness scorers that need an embedding model. */
export const VECTOR_BASELINES: Readonly<Record<string, (answer: ScoredAnswer, embed: EmbedTexts) => Promise<number>>> =
  {
    cosine: closestReference,
    "contains + token recall / 2 + cosine / 2": async (answer, embed) =>
      contains(answer) + tokenRecall(answer) / 2 + (await closestReference(answer, embed)) / 2,
  };

/** Scores against all contexts joined into one. */
const againstContexts =
  (compare: (answer: string[], context: string[]) => number): Baseline =>
  ({ contexts, output }) =>
    compare(plainWords(output), contexts.flatMap(plainWords));

/** The fraction of an answer's parts, such as its words, that occur in a context. */
const shareKnown = (parts: readonly string[], context: readonly string[]): number => {
  const known = new Set(context);
  return parts.length > 0 ? parts.filter((part) => known.has(part)).length / parts.length : 1;
};

const wordPrecision = againstContexts(shareKnown);
const bigramPrecision = againstContexts((answer, context) => shareKnown(runsOf(answer, 2), runsOf(context, 2)));

export const FAITHFULNESS_BASELINES: Readonly<Record<string, Baseline>> = {
  "word precision": wordPrecision,
  "bigram precision": bigramPrecision,
  "trigram precision": againstContexts((answer, context) => shareKnown(runsOf(answer, 3), runsOf(context, 3))),
  "ROUGE-L precision": againstContexts((answer, context) =>
    answer.length > 0 ? lcsLength(answer, context) / answer.length : 1,
  ),
  "words + bigrams": (answer) => wordPrecision(answer) + bigramPrecision(answer),
};
