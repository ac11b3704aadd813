import { isDenial, isDenied } from "../text/negation";
import { isNameLike, STOP_WORDS } from "../text/words";
import type { Match } from "./match";
import { type ReadText, sentenceOf } from "./read-text";
import { Vocabulary } from "./word-forms";

/** The context in which an answer states a reference. */
export interface Setting {
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
export const settingOf = (answer: ReadText, question: ReadText, matches: readonly Match[]): Setting => {
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
