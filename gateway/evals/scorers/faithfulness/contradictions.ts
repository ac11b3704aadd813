import type { Span } from "../../statistics/spans";
import { compareDates, type DateMention, readDates } from "../text/dates";
import { negatedWords } from "../text/negation";
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
const LONGEST_TEXT = 1000;
/** After these words, the opposite may be meant. */
const CONTRASTS = new Set(
  (
    "while whereas but although unlike rather instead except until unless " +
    "aber sondern jedoch pero sino mais ma mas maar но а"
  ).split(" "),
);

const isPlain = (words: readonly Word[]): boolean =>
  words.length <= LONGEST && !words.some(({ norm }) => CONTRASTS.has(norm));

interface WordInPlace {
  isDenied: boolean;
  /** Forms of the content words before and after it. */
  neighbours: readonly string[];
  word: Word;
}

/** The stem; in Korean the first two syllables, in Arabic without the ending of the accusative. */
const formOf = ({ stem }: Word): string =>
  /^\p{sc=Hangul}/u.test(stem) ? stem.slice(0, 2) : stem.replace(/(?<=\p{sc=Arabic}{3})ا$/u, "");

/** A sentence with its content words in place. */
interface Statement {
  isNegative: boolean;
  places: ReadonlyMap<string, WordInPlace>;
}

const statementOf = (text: string, words: readonly Word[]): Statement => {
  const { content, negations, negated } = negatedWords(text, words, isStopWord);
  const places = new Map<string, WordInPlace>();
  for (const [at, word] of content.entries()) {
    const neighbours = [content[at - 1], content[at + 1]].flatMap((other) => (other ? [formOf(other)] : []));
    if (!places.has(formOf(word))) places.set(formOf(word), { isDenied: negated.has(word), neighbours, word });
  }
  return { isNegative: negations.size > 0, places };
};

/** With this share of a claim's content words, a passage is about the same subject, whatever their weights. */
const MOSTLY_SAME = 0.75;

/**
 * Finds a word that the claim denies and a passage affirms, or the other way round, between the same neighbours. Ignores
 * long and contrasting sentences.
 */
export const findReversal = (
  text: string,
  words: readonly Word[],
  passage: string,
  isSameMatter: boolean,
): Span | undefined => {
  if (!isPlain(words) || passage.length > LONGEST_TEXT) return undefined;
  const others = readWords(passage);
  if (!isPlain(others)) return undefined;
  const [claimed, known] = [statementOf(text, words), statementOf(passage, others)];
  if (claimed.isNegative === known.isNegative) return undefined;
  const common = [...claimed.places.keys()].filter((form) => known.places.has(form)).length / claimed.places.size;
  if (!isSameMatter && common < MOSTLY_SAME) return undefined;
  // The passage has all words of the claim and no negation.
  const isAll = claimed.isNegative && common === 1;
  for (const [key, { isDenied, neighbours, word }] of claimed.places) {
    const other = known.places.get(key);
    if (other === undefined || other.isDenied === isDenied) continue;
    if (isAll || neighbours.some((neighbour) => other.neighbours.includes(neighbour)))
      return { start: word.start, end: word.end };
  }
  return undefined;
};
