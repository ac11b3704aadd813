import { STOP_WORDS } from "../text/stop-words";
import { isNameLike } from "../text/words";
import { type ReadText, sentenceOf } from "./answer";
import type { Match } from "./match";
import { isDenied, isNegation } from "./stance";

/** How a reference is said where it is said. Shares are 0…1. */
export interface Setting {
  /** Every time it is said, it is denied. */
  isDenied: boolean;
  /** Sentences before the first one that says it; null: none does. */
  sentence: number | null;
  /** Names and numbers of the leading sentence that neither question nor references have, where it says no reference. */
  rivals: readonly string[];
}

const MOST_RIVALS = 20;

/** Names and numbers of the first sentence that are news: neither of the question nor of a reference. */
const rivalsOf = (answer: ReadText, question: ReadText, matches: readonly Match[]): string[] => {
  const [lead] = answer.sentences;
  if (!lead) return [];
  const expected = new Set(matches.flatMap(({ alias }) => alias.words.map(({ stem }) => stem)));
  const asked = new Set(question.stems);
  const isShort = answer.words.length <= 6;
  return answer.words
    .filter((word) => word.start >= lead.start && word.end <= lead.end && !STOP_WORDS.has(word.norm))
    .filter((word) => isShort || (isNameLike(word) && word.start > lead.start))
    .filter(({ stem }) => !expected.has(stem) && !asked.has(stem))
    .slice(0, MOST_RIVALS)
    .map(({ text }) => text);
};

/** Looks at where an answer says what it should. */
export const settingOf = (answer: ReadText, question: ReadText, matches: readonly Match[]): Setting => {
  const stated = matches.filter(({ isStated }) => isStated);
  const places = stated.flatMap(({ occurrences }) => occurrences);
  // "Which president never married?" asks for a denial.
  const mayBeDenied = !question.words.some(isNegation);
  const denied =
    mayBeDenied &&
    places.length > 0 &&
    places.every(({ at, length }) => isDenied(answer.words, at, length, answer.text));
  const sentences = places.map(({ at }) => sentenceOf(answer, at));
  const byFact = stated.some(({ occurrences }) => occurrences.length === 0);
  const sentence = byFact ? 0 : sentences.length > 0 ? Math.min(...sentences) : null;
  return { isDenied: denied, sentence, rivals: sentence === 0 ? [] : rivalsOf(answer, question, matches) };
};
