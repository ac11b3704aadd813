import { overlaps, type Span } from "../../statistics/spans";
import { type Quantity, readNumbers } from "../text/numbers";
import { type ClockTime, isSameTime, readTimes } from "../text/times";
import { relationOf } from "../text/units";
import { isStopWord, type Word } from "../text/words";
import { isSameOrNearly } from "./number-index";

/*
 * Numbers of two facts that are attributed to each other: "Adults pay €6" for "Adults pay €12, children €6". A word
 * belongs to the number next to it.
 */

export interface Value extends Span {
  quantity?: Quantity;
  time?: ClockTime;
}

export const isSame = (a: Value, b: Value): boolean =>
  a.time && b.time
    ? isSameTime(a.time, b.time)
    : !!a.quantity && !!b.quantity && isSameOrNearly(a.quantity, b.quantity);

export const mayTakePlaceOf = (a: Value, b: Value): boolean =>
  a.quantity && b.quantity
    ? (a.quantity.unit === null) === (b.quantity.unit === null) &&
      relationOf(a.quantity.unit, b.quantity.unit) === "same"
    : !a.quantity && !b.quantity;

/** Words and punctuation between two facts. */
const BORDER =
  /[,;:()–—、，；]|(?<!\p{L})(?:and|or|but|while|whereas|to|from|than|und|oder|aber|y|o|pero|et|ou|mais|e|ma)(?!\p{L})/iu;
const ALTERNATIVES = /^[\s,]*(?:or|and|to|und|oder|[-–])?\s*[$€£¥]?$/u;
/** A border between clauses counts as this many words. */
const BORDER_LENGTH = 10;

/** A number in a text, with the stems of the words that belong to it and their distance from the number. */
interface Fact {
  value: Value;
  words: ReadonlyMap<string, number>;
}
/** Maximum distance of a word that names the number's fact. */
const MAX_DISTANCE = 4;

const distance = (text: string, words: readonly Word[], word: Word, value: Value): number => {
  const [from, to] = word.end <= value.start ? [word.end, value.start] : [value.end, word.start];
  const between = words.filter(({ start, end }) => start >= from && end <= to).length;
  return between + (BORDER.test(text.slice(from, to)) ? BORDER_LENGTH : 0);
};

const factsOf = (text: string, words: readonly Word[], values: readonly Value[], others: readonly Value[]): Fact[] => {
  const owned = values.map(() => new Map<string, number>());
  for (const word of words) {
    // Another number doesn't name a fact, unless it is a year.
    if (
      isStopWord(word) ||
      values.some((value) => overlaps(word, value)) ||
      others.some((value) => overlaps(word, value))
    )
      continue;
    const distances = values.map((value) => distance(text, words, word, value));
    const least = Math.min(...distances);
    if (distances.filter((each) => each === least).length === 1) owned[distances.indexOf(least)]?.set(word.stem, least);
  }
  // The two numbers of "$100 or $25" share their words.
  for (const [at, value] of values.entries()) {
    const [mine, before] = [owned[at], owned[at - 1]];
    if (mine && before && ALTERNATIVES.test(text.slice(values[at - 1]?.end, value.start)))
      owned[at] = owned[at - 1] = new Map([...before, ...mine]);
  }
  return values.map((value, at) => ({ value, words: owned[at] ?? new Map() }));
};

/** The facts of a text: those of its years, and those of its other numbers. */
export type Facts = readonly [Fact[], Fact[]];

/** Reads the facts of a text: first those of its years, then those of its other numbers, which a year may name. */
export const readFacts = (text: string, words: readonly Word[]): Facts => {
  const times: Value[] = readTimes(text).map((time) => ({ start: time.start, end: time.end, time }));
  const numbers: Value[] = readNumbers(text, words).map((quantity) => ({
    start: quantity.start,
    end: quantity.end,
    quantity,
  }));
  const free = numbers.filter((number) => !times.some((time) => overlaps(time, number)));
  const years = free.filter(({ quantity }) => quantity?.isYear);
  const others = [...times, ...free.filter((number) => !years.includes(number))];
  return [factsOf(text, words, years, others), factsOf(text, words, others, [])];
};

const shareIn = (part: Fact["words"], whole: Fact["words"]): number =>
  part.size === 0 ? 0 : [...part.keys()].filter((stem) => whole.has(stem)).length / part.size;

const shareName = (a: Fact["words"], b: Fact["words"]): boolean =>
  [...a].some(([stem, distance]) => distance <= MAX_DISTANCE && (b.get(stem) ?? MAX_DISTANCE + 1) <= MAX_DISTANCE);

/** Removes the words that would name two facts: they name neither. */
const withUniqueWords = (facts: readonly Fact[], words: readonly Word[]): Fact[] => {
  const counts = new Map<string, number>();
  for (const { stem } of words) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  return facts.map(({ value, words: stems }) => ({
    value,
    words: new Map([...stems].filter(([stem]) => counts.get(stem) === 1)),
  }));
};

/**
 * The numbers of a claim that a passage contains in the same fact ("kept"), or in another fact that the claim states
 * ("exchanged").
 */
export const compareFacts = (
  claim: Facts,
  passage: string,
  others: readonly Word[],
): Record<"kept" | "exchanged", Value[]> => {
  if (claim.flat().length === 0) return { kept: [], exchanged: [] };
  const known = readFacts(passage, others).map((facts) => withUniqueWords(facts, others));
  const found = claim.flatMap((facts, kind) =>
    facts.map(({ value, words }) => {
      const own = known[kind]?.filter((fact) => isSame(fact.value, value)) ?? [];
      const isKept = own.some((fact) => shareIn(fact.words, words) === 1);
      const ownShare = Math.max(...own.map((fact) => (fact.words.size > 0 ? shareIn(fact.words, words) : 1)));
      const isTaken = known[kind]?.some((fact) => {
        const share = own.includes(fact) || !mayTakePlaceOf(fact.value, value) ? 0 : shareIn(fact.words, words);
        return shareName(fact.words, words) && (share === 1 ? ownShare <= 0.5 : share > 0.5 && ownShare === 0);
      });
      return { value, isKept, isExchanged: own.length > 0 && isTaken === true };
    }),
  );
  return {
    kept: found.filter(({ isKept }) => isKept).map(({ value }) => value),
    exchanged: found.filter(({ isExchanged }) => isExchanged).map(({ value }) => value),
  };
};
