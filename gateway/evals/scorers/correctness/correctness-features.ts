import type { ScoredAnswer } from "../../scored-answer";
import { cosine, type EmbedTexts } from "../embedding";
import { refusalOf } from "../text/refusal";
import { ARTICLES } from "../text/words";
import { type Alias, readAliases } from "./aliases";
import { type Match, matchAliases } from "./match";
import { type ReadText, readText } from "./read-text";
import { compareStatement } from "./reversal";
import { type Setting, settingOf } from "./setting";
import { hasOtherNumbers } from "./value-check";
import { keyOf } from "./word-forms";

/** The inputs of the correctness model. */
export const CORRECTNESS_FEATURES = [
  "matched",
  "matchedInQuestion",
  "recall",
  "f1",
  "spelling",
  "otherFact",
  "otherNumber",
  "otherSigns",
  "bareInside",
  "refusal",
  "denied",
  "opposite",
  "late",
  "rivals",
  "opensOtherwise",
  "earlier",
  "cosAnswer",
  "cosStatement",
  "gain",
] as const;
export type CorrectnessFeature = (typeof CORRECTNESS_FEATURES)[number];

/** Everything the scorer finds in an answer. */
export interface CorrectnessFindings {
  answer: ReadText;
  /** Closest first; empty if no reference contains a word. */
  matches: readonly Match[];
  setting: Setting;
  refusal: number;
  meaning: Meaning;
  features: Readonly<Record<CorrectnessFeature, number>>;
}

const best = <T>(items: readonly T[], value: (item: T) => number): number => Math.max(0, ...items.map(value));

/** Whether a short answer consists only of words of a reference: "Cartier" for "Jacques Cartier". */
const bareInside = (answer: ReadText, matches: readonly Match[]): number => {
  if (answer.words.length > 6) return 0;
  return best(matches, ({ f1, isMatched, alias, check }) =>
    !isMatched && !check && f1 > 0 && isWithin(answer, alias) ? 1 : 0,
  );
};

/** Half the number of other dates or numbers before the expected one, at most 1; 0 if a reference comes first. */
const earlierOf = (matched: readonly Match[]): number =>
  matched.length > 0 ? Math.min(1, ...matched.map(({ check }) => (check?.earlier ?? 0) / 2)) : 0;

/** Whether the alias contains every word of the answer, and the answer every number of the alias: "World War" is not "World War II". */
const isWithin = (answer: ReadText, { words }: Alias): boolean => {
  const known = new Set(words.map(keyOf));
  const hasAllNumbers = [...known].every((key) => !/^\d/.test(key) || answer.keys.includes(key));
  return hasAllNumbers && answer.words.every(({ norm }, at) => known.has(answer.keys[at] ?? "") || ARTICLES.has(norm));
};

/** Whether every reference is a date or number and the answer gives a different one. */
const givesOther = (matches: readonly Match[]): boolean =>
  matches.length > 0 && matches.every(({ check }) => check?.verdict === "other");

/** Whether the answer replaces a number of the closest reference with another. */
const hasOther = (answer: ReadText, question: ReadText, [closest]: readonly Match[]): boolean =>
  closest !== undefined && !closest.check && hasOtherNumbers(closest.alias, answer, question);

export const findCorrectness = async (scored: ScoredAnswer, embed: EmbedTexts): Promise<CorrectnessFindings> => {
  const answer = readText(scored.output);
  const question = readText(scored.question ?? "");
  const matches = closestMatches(matchAliases({ answer, question }, readAliases(scored.references)));
  const setting = settingOf(answer, question, matches);
  const refusal = refusalOf(answer.text);
  const meaning = await meaningOf(answer, scored.question ?? "", matches, embed);
  const matched = matches.filter(({ isMatched }) => isMatched);
  const [closest] = matches;
  const stance = closest && compareStatement(answer, question, closest.alias);
  const isRestated = stance === "restated";
  const isMatched = matched.length > 0 || isRestated;
  return {
    answer,
    matches,
    setting,
    refusal,
    meaning,
    features: {
      matched: Number(isMatched),
      matchedInQuestion: Number(matched.length > 0 && matched.every(({ isAsked }) => isAsked)),
      recall: isRestated ? 1 : best(matches, ({ recall }) => recall),
      f1: best(matches, ({ f1 }) => f1),
      spelling: isRestated ? 1 : best(matches, ({ spelling }) => spelling),
      otherFact: Number(!isMatched && givesOther(matches)),
      otherNumber: Number(!isMatched && hasOther(answer, question, matches)),
      otherSigns: Number(!isMatched && matches.some(({ hasOtherSigns }) => hasOtherSigns)),
      bareInside: bareInside(answer, matches),
      refusal: isMatched ? 0 : refusal,
      denied: Number(setting.isDenied),
      opposite: Number(matches.some(({ isOpposite }) => isOpposite) || stance === "reversed"),
      late: Math.min(1, (setting.sentence ?? 0) / 3),
      rivals: Math.min(1, setting.rivals.length / 3),
      opensOtherwise: Number(setting.opensOtherwise),
      earlier: earlierOf(matched),
      cosAnswer: meaning.answer,
      cosStatement: meaning.statement,
      gain: meaning.gain,
    },
  };
};

/** Semantic similarity, -1…1, of the references that share the most words with the answer. */
interface Meaning {
  /** Answer and reference. */
  answer: number;
  /** The answer's leading sentence, and question with reference. */
  statement: number;
  /** How much more similar to the question the answer becomes when the reference is added to it. */
  gain: number;
}

/** Number of references compared by meaning. */
const MAX_COMPARED = 3;

const byLikeness = (a: Match, b: Match): number => b.recall - a.recall || b.f1 - a.f1 || b.spelling - a.spelling;

const closestMatches = (matches: readonly Match[]): Match[] => [...matches].sort(byLikeness);

/** Compares meaning with a single request for vectors. */
const meaningOf = async (
  answer: ReadText,
  question: string,
  matches: readonly Match[],
  embed: EmbedTexts,
): Promise<Meaning> => {
  const references = [...new Set(closestMatches(matches).map(({ alias }) => alias.reference))].slice(0, MAX_COMPARED);
  const lead = answer.sentences[0]?.text ?? answer.text;
  const statements = references.map((reference) => `${question} ${reference}`.trim());
  const [whole, first, asked, ...others] = await embed([answer.text, lead, question, ...references, ...statements]);
  const best = (vectors: readonly Float32Array[], to: Float32Array | undefined) =>
    Math.max(-1, ...vectors.map((vector) => cosine(vector, to)));
  const statementVectors = others.slice(references.length);
  return {
    answer: best(others.slice(0, references.length), whole),
    statement: best(statementVectors, first),
    gain: best(statementVectors, whole) - cosine(asked, whole),
  };
};
