import { isDenial, isDenied } from "../text/negation";
import { isNameLike, STOP_WORDS } from "../text/words";
import type { Match } from "./match";
import { type ReadText, sentenceOf } from "./read-text";
import { Vocabulary } from "./word-forms";

/** How a reference is said where it is said. Shares are 0…1. */
export interface Setting {
  /** Every time it is said, it is denied. */
  isDenied: boolean;
  /** Sentences before the first one that says it; null: none does. */
  sentence: number | null;
  /** Names and numbers of the leading sentence that neither question nor references have, where it says no reference. */
  rivals: readonly string[];
}

const MAX_RIVALS = 20;

/** Words between two offsets that are news: neither of the question nor of a reference. */
const newsBetween = (answer: ReadText, question: ReadText, matches: readonly Match[], start: number, end: number) => {
  const expected = new Vocabulary(matches.flatMap(({ alias }) => alias.words));
  return answer.words
    .filter((word) => word.start >= start && word.end <= end && !STOP_WORDS.has(word.norm))
    .filter((word) => expected.find(word) === 0 && question.vocabulary.find(word) < 0.7);
};

/** Longest answer of which any word, not only a name, may be what it gives. */
const BARE = 6;

/** What the first sentence names that is news; a capital at its beginning may be the sentence's own. */
const rivalsOf = (answer: ReadText, question: ReadText, matches: readonly Match[]): string[] => {
  const [lead] = answer.sentences;
  if (!lead) return [];
  return newsBetween(answer, question, matches, lead.start, lead.end)
    .filter((word) => answer.words.length <= BARE || (isNameLike(word) && word.start > lead.start))
    .slice(0, MAX_RIVALS)
    .map(({ text }) => text);
};

/** Looks at where an answer says what it should. */
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
