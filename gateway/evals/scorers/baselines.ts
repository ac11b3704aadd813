import { indexOfRun, recall, rougeL, tokenF1 } from "./text/overlap";
import { ARTICLES } from "./text/stop-words";
import { readWords } from "./text/words";
import { cosine, type EmbedTexts, type ScoredAnswer } from "./types";

/** A simple scorer to compare with; higher is better. */
export type Baseline = (answer: ScoredAnswer, embed: EmbedTexts) => number | Promise<number>;

/** Words without case, punctuation, diacritics and articles (as SQuAD evens out answers, Rajpurkar et al. 2016). */
export const plainWords = (text: string): string[] =>
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
export const FAITHFULNESS_BASELINES: Readonly<Record<string, Baseline>> = {};
