import { isNegation, prefixedForms, withoutPrefix } from "../text/negation";
import { INTERJECTIONS } from "../text/refusal";
import { stemOf } from "../text/stem";
import { isStopWord, type Word, wordMap, wordSet } from "../text/words";
import type { NumberIndex } from "./number-index";
import type { Attribute } from "./records";
import { beginningOf, pairKey, type Source } from "./source";

/** The contexts, and how to compare an answer with them. */
export interface Reading {
  source: Source;
  numbers: NumberIndex;
  attributes: readonly Attribute[];
}

/** Support of a stop word that no context contains. Stop words mean little, but made-up answers contain more of them. */
const SMALL_WORD = 0.5;
/** Support of a word that begins like one in the contexts: "improved" for "improvement". */
const BY_BEGINNING = 0.5;

const DAYS_AND_MONTHS = `
  monday tuesday wednesday thursday friday saturday sunday
  january february march april june july august september october november december
`;
/** Abbreviations and what they stand for, in both directions: "Sat" and "Saturday", "Apr" and "April". */
const CALENDAR = wordMap(
  [...wordSet(DAYS_AND_MONTHS)].flatMap((name): [string, string][] => [
    [`${name.slice(0, 3)} ${name.slice(0, 4)}`, name],
    [name, name.slice(0, 3)],
  ]),
);

/**
 * Whether a word is part of a negation that the contexts write differently: "not safe" for "unsafe" or "non-safe", and
 * vice versa.
 */
const isKnownNegated = (words: readonly Word[], at: number, { idOf, pairs }: Source): boolean => {
  const [before, word, after] = [words[at - 1], words[at], words[at + 1]];
  const isNot = (other: Word | undefined) => other?.norm === "not" || other?.norm === "non";
  const isPrefixed = ({ stem }: Word) => prefixedForms(stem).some((form) => idOf.has(form));
  if (!word) return false;
  if (isNot(word)) return idOf.has("not") || idOf.has("non") || (after !== undefined && isPrefixed(after));
  if (isNot(before)) return isPrefixed(word);
  const bare = withoutPrefix(word.stem);
  const isDenied = (not: string) => pairs.has(pairKey(idOf.get(not) ?? -1, idOf.get(bare) ?? -1));
  return bare !== word.stem && (isDenied("not") || isDenied("non"));
};

/** How well the contexts support a word, 0…1: by the word itself, a part of it, or its beginning. */
export const knownShare = (words: readonly Word[], at: number, { source }: Reading): number => {
  const word = words[at];
  if (!word) return 0;
  if (source.idOf.has(word.stem)) return 1;
  if (isKnownNegated(words, at, source)) return 1;
  // A record has no sentences, and therefore no stop words.
  if (source.records.length > 0 && (isStopWord(word) || isNegation(word))) return 1;
  if (isStopWord(word)) return SMALL_WORD;
  const [before, after] = [words[at - 1], words[at + 1]];
  const isPart =
    (before && source.idOf.has(before.norm + word.norm)) || (after && source.idOf.has(word.norm + after.norm));
  if (isPart || source.joined.has(word.norm)) return 1;
  const other = CALENDAR.get(word.norm.replace(/s$/, ""));
  if (other && source.idOf.has(stemOf(other))) return 1;
  const beginning = beginningOf(word.stem);
  return beginning && source.beginnings.has(beginning) ? BY_BEGINNING : 0;
};

/**
 * The weight of a word by its rarity in the contexts, 0…1. `id` is the number of its stem, -1 if no context contains
 * it.
 */
export const weightOf = (
  words: readonly Word[],
  at: number,
  id: number,
  { source: { passages, passagesOf } }: Pick<Reading, "source">,
): number => {
  const word = words[at];
  if (!word || (at === 0 && INTERJECTIONS.has(word.norm))) return 0;
  if (isStopWord(word) || isNegation(word)) return 0;
  const all = Math.max(2, passages.length);
  const frequency = passagesOf[id]?.length ?? 0;
  return Math.max(0.2, Math.log((all + 1) / (frequency + 0.5)) / Math.log((all + 1) / 0.5));
};
