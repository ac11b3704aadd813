import type { ScoredAnswer } from "../scored-answer";
import { cosine, type EmbedTexts } from "./embedding";
import { bigrams, indexOfRun, lcsLength, recall, rougeL, tokenF1 } from "./text/overlap";
import { ARTICLES, readWords } from "./text/words";

/** A simple scorer to compare with; higher is better. */
type Baseline = (answer: ScoredAnswer, embed: EmbedTexts) => number | Promise<number>;

/** Words without case, punctuation, diacritics and articles (as SQuAD evens out answers, Rajpurkar et al. 2016). */
const plainWords = (text: string): string[] =>
  readWords(text)
    .map(({ norm }) => norm)
    .filter((word) => !ARTICLES.has(word));

type Compare = (reference: string[], output: string[]) => number;

/** The best of the references. */
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

const closestReference: Baseline = async ({ references, output }, embed) => {
  const [answer, ...vectors] = await embed([output, ...references]);
  return Math.max(...vectors.map((vector) => cosine(answer, vector)));
};

export const CORRECTNESS_BASELINES: Readonly<Record<string, Baseline>> = {
  "exact match": byWords(isSame),
  contains,
  "token F1": byWords(tokenF1),
  "token recall": tokenRecall,
  "ROUGE-L": byWords(rougeL),
  cosine: closestReference,
  "contains + token recall / 2 + cosine / 2": async (answer, embed) =>
    (await contains(answer, embed)) +
    (await tokenRecall(answer, embed)) / 2 +
    (await closestReference(answer, embed)) / 2,
};

/** All contexts as one. */
const againstContexts =
  (compare: (answer: string[], context: string[]) => number): Baseline =>
  ({ contexts, output }) =>
    compare(plainWords(output), contexts.flatMap(plainWords));

const numbersIn = (text: string): string[] => plainWords(text).filter((word) => /^\p{Nd}/u.test(word));

/** Share of the words, or other parts, of an answer that a context has. */
const shareKnown = (parts: readonly string[], context: readonly string[]): number => {
  const known = new Set(context);
  return parts.length > 0 ? parts.filter((part) => known.has(part)).length / parts.length : 1;
};

const wordPrecision = againstContexts(shareKnown);
const bigramPrecision = againstContexts((answer, context) => shareKnown(bigrams(answer), bigrams(context)));
const closestContext: Baseline = async ({ contexts, output }, embed) => {
  const [answer, ...vectors] = await embed([output, ...contexts]);
  return Math.max(...vectors.map((vector) => cosine(answer, vector)));
};

export const FAITHFULNESS_BASELINES: Readonly<Record<string, Baseline>> = {
  "word precision": wordPrecision,
  "bigram precision": bigramPrecision,
  "ROUGE-L precision": againstContexts((answer, context) =>
    answer.length > 0 ? lcsLength(answer, context) / answer.length : 1,
  ),
  "number precision": ({ contexts, output }) => shareKnown(numbersIn(output), contexts.flatMap(numbersIn)),
  cosine: closestContext,
  "words + bigrams": async (answer, embed) =>
    (await wordPrecision(answer, embed)) + (await bigramPrecision(answer, embed)),
};
