import type { ScoredAnswer } from "../../scored-answer";
import { isDenial, isDenied } from "../text/negation";
import { isRefusal } from "../text/refusal";
import { isNameLike, STOP_WORDS } from "../text/words";
import { readAliases } from "./aliases";
import { type Match, matchAliases } from "./match";
import { type ReadText, readText, sentenceOf } from "./read-text";
import { compareStatement } from "./reversal";
import { spellOut } from "./short-forms";
import { inWordingOf } from "./value-check";
import { Vocabulary } from "./word-forms";

/** The inputs of the correctness model. */
export type CorrectnessFeature =
  | "matched"
  | "recall"
  | "f1"
  | "otherFact"
  | "refusal"
  | "denied"
  | "opposite"
  | "rivals";

/** What the scorer finds in an answer. */
export interface CorrectnessFindings {
  answer: ReadText;
  /** Closest match first; empty if no reference contains words. */
  matches: readonly Match[];
  setting: Setting;
  features: Readonly<Record<CorrectnessFeature, number>>;
}

const best = <T>(items: readonly T[], value: (item: T) => number): number => Math.max(0, ...items.map(value));

/** Whether the answer's date, number, letter or symbol differs from that of every reference. */
const givesOther = (matches: readonly Match[]): boolean =>
  matches.length > 0 && matches.every(({ check, isExcluded }) => isExcluded || check?.verdict === "other");

export const findCorrectness = (scored: ScoredAnswer): CorrectnessFindings => {
  const question = readText(scored.question ?? "");
  const aliases = readAliases(scored.references, question);
  const answer = inWordingOf(aliases, readText(spellOut(scored.output, question.text)), question);
  const matches = closestMatches(matchAliases({ answer, question }, aliases));
  const setting = settingOf(answer, question, matches);
  const isDeclined = isRefusal(answer.text);
  const [closest] = matches;
  // "21 or older" is "no younger than 21".
  const isLimit = closest?.check && closest.alias.read.numbers.some(({ bound }) => bound);
  const stance = closest && !isLimit && compareStatement(answer, question, closest.alias);
  const isRestated = stance === "restated" && closest?.isExcluded === false;
  const isMatched = isRestated || matches.some((match) => match.isMatched);
  return {
    answer,
    matches,
    setting,
    features: {
      matched: Number(isMatched),
      recall: isRestated ? 1 : best(matches, ({ recall }) => recall),
      f1: best(matches, ({ f1 }) => f1),
      otherFact: Number(!isMatched && givesOther(matches)),
      refusal: Number(!isMatched && isDeclined),
      denied: Number(setting.isDenied),
      opposite: Number(matches.some(({ isOpposite }) => isOpposite) || stance === "reversed"),
      rivals: Math.min(1, setting.rivals.length / 3),
    },
  };
};

const closestMatches = (matches: readonly Match[]): Match[] =>
  matches.toSorted((a, b) => b.recall - a.recall || b.f1 - a.f1);

/** The context in which an answer states a reference. */
interface Setting {
  /** Every mention of the reference is denied. */
  isDenied: boolean;
  /** The number of sentences before the first one that states the reference; null if no sentence does. */
  sentence: number | null;
  /**
   * Names and numbers in the first sentence that are in neither the question nor the references, if that sentence
   * states no reference.
   */
  rivals: readonly string[];
}

const MAX_RIVALS = 20;

/** The words between two offsets that are neither in the question nor in a reference. */
const newWordsBetween = (
  answer: ReadText,
  question: ReadText,
  matches: readonly Match[],
  start: number,
  end: number,
) => {
  const expected = new Vocabulary(matches.flatMap(({ alias }) => alias.words));
  return answer.words
    .filter((word) => word.start >= start && word.end <= end && !STOP_WORDS.has(word.norm))
    .filter((word) => expected.find(word) === 0 && question.vocabulary.find(word) < 0.7);
};

/** Maximum number of words in an answer in which any new word may be the given answer, not only a name. */
const MAX_BARE_WORDS = 6;

/** New names in the first sentence. Its first word is excluded, because it is always capitalised. */
const rivalsOf = (answer: ReadText, question: ReadText, matches: readonly Match[]): string[] => {
  const [lead] = answer.sentences;
  if (!lead) return [];
  return newWordsBetween(answer, question, matches, lead.start, lead.end)
    .filter((word) => answer.words.length <= MAX_BARE_WORDS || (isNameLike(word) && word.start > lead.start))
    .slice(0, MAX_RIVALS)
    .map(({ text }) => text);
};

/** Finds where an answer states a reference, and in which context. */
const settingOf = (answer: ReadText, question: ReadText, matches: readonly Match[]): Setting => {
  const matched = matches.filter(({ isMatched }) => isMatched);
  const places = matched.flatMap(({ occurrences }) => occurrences);
  // "Which president never married?" asks for a denial.
  const mayBeDenied = !question.words.some(isDenial);
  const denied =
    mayBeDenied &&
    places.length > 0 &&
    places.every(({ at, length }) => isDenied(answer.words, at, length, answer.text));
  const sentences = places.map(({ at }) => sentenceOf(answer, at));
  const byVerdict = matched.some(({ occurrences }) => occurrences.length === 0);
  const sentence = byVerdict ? 0 : sentences.length > 0 ? Math.min(...sentences) : null;
  return {
    isDenied: denied,
    sentence,
    rivals: sentence === 0 ? [] : rivalsOf(answer, question, matches),
  };
};
