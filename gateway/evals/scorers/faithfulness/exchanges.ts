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

interface Value extends Span {
  quantity?: Quantity;
  time?: ClockTime;
}

/** The numbers and times of day in a text, in order. */
export const valuesOf = (text: string, words: readonly Word[]): Value[] => {
  const times = readTimes(text).map((time): Value => ({ start: time.start, end: time.end, time }));
  const numbers = readNumbers(text, words)
    .map((quantity): Value => ({ start: quantity.start, end: quantity.end, quantity }))
    .filter((number) => !times.some((time) => overlaps(time, number)));
  return [...times, ...numbers].sort((a, b) => a.start - b.start);
};

const isSame = (a: Value, b: Value): boolean =>
  a.time && b.time
    ? isSameTime(a.time, b.time)
    : !!a.quantity && !!b.quantity && isSameOrNearly(a.quantity, b.quantity);

const mayTakePlaceOf = (a: Value, b: Value): boolean =>
  a.quantity && b.quantity
    ? (a.quantity.unit === null) === (b.quantity.unit === null) &&
      relationOf(a.quantity.unit, b.quantity.unit) === "same"
    : !a.quantity && !b.quantity;

/** Words and punctuation between two facts. */
const BORDER =
  /[,;:()–—、，；]|(?<!\p{L})(?:and|or|but|while|whereas|to|from|than|und|oder|aber|y|o|pero|et|ou|mais|e|ma)(?!\p{L})/iu;
/** A boundary between clauses counts as this many words. */
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
  return values.map((value, at) => ({ value, words: owned[at] ?? new Map() }));
};

/** The facts of a text: those of its years, and those of its other numbers. */
export type Facts = readonly [Fact[], Fact[]];

/** Reads the facts of a text: first those of its years, then those of its other numbers, which a year may name. */
export const readFacts = (text: string, words: readonly Word[]): Facts => {
  const values = valuesOf(text, words);
  const [years, others] = [true, false].map((isYear) =>
    values.filter(({ quantity }) => (quantity?.isYear ?? false) === isYear),
  );
  return [factsOf(text, words, years ?? [], others ?? []), factsOf(text, words, others ?? [], [])];
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

/* Values of two clauses that are swapped: "Children pay €12" for "Adults pay €12, children pay €5". */

const SEPARATOR = /[,;](?!\p{Nd})|(?<!\p{L})(?:and|while|whereas|but|und|aber|y|et|mais)(?!\p{L})/giu;

/** A clause with a value, and the words that name what the value belongs to. */
interface Clause {
  /** The last one. */
  value: Value;
  before: readonly string[];
  behind: readonly string[];
}

/** The stems of a clause. "Check-in" is one, and the capital in "plan A" counts. */
const namesOf = (text: string, words: readonly Word[]): { stem: string; start: number }[] =>
  words.flatMap((word, at) => {
    const next = words[at + 1];
    if (next && text.slice(word.end, next.start) === "-")
      return [{ stem: `${word.stem}-${next.stem}`, start: word.start }];
    const isPart = at > 0 && text.slice(words[at - 1]?.end, word.start) === "-";
    const isLetter = at > 0 && /^\p{Lu}$/u.test(word.text);
    return isPart || (isStopWord(word) && !isLetter) ? [] : [{ stem: word.stem, start: word.start }];
  });

/** The clauses of a sentence. One without a value is part of the next. */
const clausesOf = (text: string, words: readonly Word[]): Clause[] => {
  const values = valuesOf(text, words);
  const marks = [...text.matchAll(SEPARATOR)].map(({ index, 0: { length } }) => [index, index + length] as const);
  const clauses: Clause[] = [];
  let from = 0;
  for (const [to, next] of [...marks, [text.length, text.length] as const]) {
    const isIn = ({ start }: Pick<Span, "start">) => start >= from && start < to;
    const last = values.findLast(isIn);
    if (!last) continue;
    // The value itself is not a name, but another number can be part of one: "children under 12".
    const names = namesOf(text, words).filter(
      (name) => isIn(name) && !(name.start >= last.start && name.start < last.end),
    );
    clauses.push({
      value: last,
      before: names.filter(({ start }) => start < last.start).map(({ stem }) => stem),
      behind: names.filter(({ start }) => start >= last.end).map(({ stem }) => stem),
    });
    from = next;
  }
  return clauses;
};

/** Longer claims usually say more than a clause does. */
const LONGEST = 12;

/** The values of a claim that a passage gives for something else that the claim names. */
export const findSwapped = (
  text: string,
  words: readonly Word[],
  passage: string,
  others: readonly Word[],
): Value[] => {
  const known = clausesOf(passage, others);
  if (known.length < 2 || words.length > LONGEST) return [];
  const all = known.map(({ before, behind }) => new Set([...before, ...behind]));
  const isDistinct = (stem: string) => all.filter((stems) => stems.has(stem)).length === 1;
  const subjects = known.map(({ before, behind }) => {
    const [ahead, after] = [before.filter(isDistinct), behind.filter(isDistinct)];
    return { isAhead: ahead.length > 0, stems: ahead.length > 0 ? ahead : after };
  });
  const sentence = new Set(all.flatMap((stems) => [...stems]));
  return clausesOf(text, words).flatMap(({ value, before, behind }) => {
    const said = new Set([...before, ...behind]);
    const own = known.flatMap((clause, at) => (isSame(clause.value, value) ? [at] : []));
    const isLacking = own.every((at) => {
      const [first] = subjects[at]?.stems ?? [];
      return first !== undefined && !said.has(first);
    });
    if (own.length === 0 || !isLacking || ![...said].every((stem) => sentence.has(stem))) return [];
    const isTaken = known.some(
      (clause, at) =>
        !own.includes(at) &&
        own.every((place) => subjects[place]?.isAhead === subjects[at]?.isAhead) &&
        mayTakePlaceOf(clause.value, value) &&
        subjects[at]?.stems.some((stem) => said.has(stem)),
    );
    return isTaken ? [value] : [];
  });
};
