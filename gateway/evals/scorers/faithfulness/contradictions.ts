import type { Span } from "../../statistics/spans";
import { compareDates, type DateMention, readDates } from "../text/dates";
import { isNegation, SIDE_OF } from "../text/negation";
import { isAltered, readNumbers } from "../text/numbers";
import { hasSameSigns, type Stretch } from "../text/signs";
import { type ClockTime, isSameTime, readTimes } from "../text/times";
import { isStopWord, readWords, type Word } from "../text/words";
import type { NumberIndex } from "./number-index";

/** A part of a text that no context supports, and why. */
export interface UnsupportedSpan extends Span {
  note: string;
}

/** Symbols that turn a word into a different name: "C", "C++", "C#". */
const NAME_SIGNS = ["", "+", "++", "#", "-", "*", "b-flat"];

const bareName = (norm: string): string => norm.replace(/(?:\+{1,2}|[#*-]|b-flat)$/u, "");

/** Names that the contexts have only with a different symbol: "A+" for "A-". */
const alteredNames = (words: readonly Word[], isKnown: (stem: string) => boolean): UnsupportedSpan[] =>
  words.flatMap((word) => {
    const bare = bareName(word.norm);
    const isSigned = bare !== word.norm || /^\p{Lu}$/u.test(word.text);
    if (!isSigned || isKnown(word.stem) || !NAME_SIGNS.some((sign) => isKnown(bare + sign))) return [];
    return [{ start: word.start, end: word.end, note: "A context has this name with a different symbol." }];
  });

const alteredNumbers = (
  text: string,
  words: readonly Word[],
  { sorted }: NumberIndex,
  missing: readonly { start: number }[],
): UnsupportedSpan[] =>
  readNumbers(text, words)
    .filter(({ start }) => missing.some((number) => number.start === start))
    .filter((number) => sorted.some(({ quantity }) => isAltered(number, quantity)))
    .map(({ start, end }) => ({ start, end, note: "A context has this number with a different sign, bound or unit." }));

/** Times that are twelve hours off and dates with one of three parts changed, unless a context has them unchanged. */
const alteredMoments = (text: string, words: readonly Word[], { times, dates }: NumberIndex): UnsupportedSpan[] => {
  const isHalfDayOff = (time: ClockTime) =>
    times.some((other) => isSameTime({ ...time, isHalfDayUnknown: true }, other)) &&
    !times.some((other) => isSameTime(time, other));
  const isPartOff = (date: DateMention) =>
    dates.some(
      (other) => DATE_PARTS.filter((part) => date[part] !== null && date[part] === other[part]).length === 2,
    ) &&
    DATE_PARTS.every((part) => date[part] !== null) &&
    dates.every((other) => compareDates(date, other) === "conflict" || compareDates(date, other) === "unrelated");
  return [...readTimes(text).filter(isHalfDayOff), ...readDates(text, words).filter(isPartOff)].map(
    ({ start, end }) => ({ start, end, note: "A context has a different date or time." }),
  );
};

const DATE_PARTS = ["year", "month", "day"] as const;

/** Every pair of neighbouring words. */
const pairsOf = (text: string, words: readonly Word[]): Stretch[] =>
  words.slice(1).map((_, at) => ({ text, words, at, length: 2 }));

const keyOf = ({ words, at }: Stretch): string => `${words[at]?.norm} ${words[at + 1]?.norm}`;

const OPERATOR = /[-+*/=<>^±−–×÷≤≥≠]/;

/** Parts of a formula that a passage has with a different operator: "x+1" for "x-1". */
const alteredFormulas = (text: string, words: readonly Word[], passages: readonly string[]): UnsupportedSpan[] => {
  const parts = pairsOf(text, words).filter(({ at }) =>
    OPERATOR.test(text.slice(words[at]?.end, words[at + 1]?.start)),
  );
  if (parts.length === 0) return [];
  const known = passages.flatMap((passage) => pairsOf(passage, readWords(passage)));
  return parts.flatMap((part) => {
    const same = known.filter((other) => keyOf(other) === keyOf(part));
    const [first, last] = [words[part.at], words[part.at + 1]];
    if (!first || !last || same.length === 0 || same.some((other) => hasSameSigns(other, part))) return [];
    return [{ start: first.start, end: last.end, note: "A context has this with a different operator." }];
  });
};

/** Values that a claim takes from the contexts with a different sign, unit or bound. Offsets count from the start of the claim. */
export const findAltered = (
  text: string,
  words: readonly Word[],
  index: NumberIndex,
  missing: readonly { start: number }[],
  passages: readonly string[],
  isKnown: (stem: string) => boolean,
): UnsupportedSpan[] => [
  ...alteredNames(words, isKnown),
  ...alteredNumbers(text, words, index, missing),
  ...alteredMoments(text, words, index),
  ...alteredFormulas(text, words, passages),
];

/** Longer sentences say too much to have a single polarity. */
const LONGEST = 60;
/** After these words, the opposite may be meant. */
const CONTRASTS = new Set("while whereas but although unlike rather instead except until unless only".split(" "));

const isPlain = (words: readonly Word[]): boolean =>
  words.length <= LONGEST && !words.some(({ norm }) => CONTRASTS.has(norm));

interface WordInPlace {
  isDenied: boolean;
  /** Stems of the content words before and after it. */
  neighbours: readonly string[];
  word: Word;
}

/** Each content word of a text; a negation covers the next one. */
const wordsInPlace = (words: readonly Word[]): Map<string, WordInPlace> => {
  const places = new Map<string, WordInPlace>();
  const content = words.filter((word) => !isStopWord(word) && !isNegation(word));
  const denied = new Set<Word>();
  for (const word of words.filter(isNegation)) {
    const next = content.find(({ start }) => start > word.start);
    if (next) denied.add(next);
  }
  for (const [at, word] of content.entries()) {
    const neighbours = [content[at - 1], content[at + 1]].flatMap((other) => (other ? [other.stem] : []));
    if (!places.has(word.stem)) places.set(word.stem, { isDenied: denied.has(word), neighbours, word });
  }
  return places;
};

/** A word of a claim for which a passage has the opposite between the same neighbours: "open" for "closed". */
const findOpposite = (words: readonly Word[], others: readonly Word[]): Span | undefined => {
  const [claimed, known] = [wordsInPlace(words), wordsInPlace(others)];
  const sides = new Set(others.flatMap(({ norm }) => SIDE_OF.get(norm) ?? []));
  for (const { word, neighbours } of claimed.values()) {
    const side = SIDE_OF.get(word.norm);
    if (side === undefined || sides.has(side) || !sides.has(-side)) continue;
    const isInPlace = [...known.values()].some(
      (other) =>
        SIDE_OF.get(other.word.norm) === -side && neighbours.every((neighbour) => other.neighbours.includes(neighbour)),
    );
    if (isInPlace && neighbours.length > 0) return { start: word.start, end: word.end };
  }
  return undefined;
};

/**
 * Finds a word that the claim denies and a passage affirms, or the other way round, between the same neighbours. If both
 * or neither contain a negation, finds the word that is the opposite of the passage's. Ignores long and contrasting
 * sentences.
 */
export const findReversal = (words: readonly Word[], passage: string, isSameMatter: boolean): Span | undefined => {
  const others = readWords(passage);
  if (!isPlain(words) || !isPlain(others)) return undefined;
  if (words.some(isNegation) === others.some(isNegation)) return findOpposite(words, others);
  if (!isSameMatter) return undefined;
  const expected = wordsInPlace(others);
  for (const [stem, { isDenied, neighbours, word }] of wordsInPlace(words)) {
    const other = expected.get(stem);
    if (other === undefined || other.isDenied === isDenied) continue;
    if (neighbours.some((neighbour) => other.neighbours.includes(neighbour)))
      return { start: word.start, end: word.end };
  }
  return undefined;
};
