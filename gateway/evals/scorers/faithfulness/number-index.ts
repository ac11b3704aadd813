import { firstIndex } from "../../../../lib/first-index";
import type { Span } from "../../statistics/spans";
import { compareDates, type DateMention, readDates } from "../text/dates";
import { withBound } from "../text/number-surroundings";
import { isSameNumber, type Quantity, readNumbers } from "../text/numbers";
import { type ClockTime, isSameTime, readTimes } from "../text/times";
import { relationOf, unitByText } from "../text/units";
import { isStopWord, readWords, type Word } from "../text/words";

interface IndexedNumber {
  value: number;
  quantity: Quantity;
  /** A number of things without a unit: "5 bolts". */
  isCount: boolean;
}

/** The contexts' numbers, dates and times, indexed for lookup. */
export interface NumberIndex {
  /** Sorted by value. An ambiguous number is listed under both of its values. */
  sorted: readonly IndexedNumber[];
  times: readonly ClockTime[];
  dates: readonly DateMention[];
}

/** Maximum number of dates, and of times, that are indexed. */
const MAX_MOMENTS = 1000;

const valuesOf = ({ value, otherValue }: Quantity): number[] => (otherValue === null ? [value] : [value, otherValue]);

/** Maximum number of words from a number to its unit: "5 metric tonnes". */
const MAX_WORDS_TO_UNIT = 3;
/** Nouns that a claim may name as a unit: "20 degrees" as "20 °C". */
const VAGUE_UNIT = /^(?:degrees?|points?|pieces?|units?)$/;

/** Whether the number counts the thing after it. `next`: index of the first word after it. */
const isCount = (text: string, words: readonly Word[], { value, unit, end }: Quantity, next: number): boolean => {
  if (unit || !Number.isInteger(value)) return false;
  let before = end;
  let counted = 0;
  for (const word of words.slice(next, next + MAX_WORDS_TO_UNIT)) {
    if (word.numeral || !/^[ \u00a0-]$/.test(text.slice(before, word.start))) break;
    if (unitByText(word.text, word.norm) || VAGUE_UNIT.test(word.norm)) return false;
    if (counted === 0 && (isStopWord(word) || !/^\p{Ll}/u.test(word.text))) return false;
    counted++;
    before = word.end;
  }
  return counted > 0;
};

export const indexNumbers = (texts: readonly string[]): NumberIndex => {
  const quantities = new Map<string, Omit<IndexedNumber, "value">>();
  const times = new Map<string, ClockTime>();
  const dates = new Map<string, DateMention>();
  for (const text of texts) {
    const words = readWords(text);
    let next = 0;
    for (const quantity of readNumbers(text, words)) {
      const { value, halfStep, unit, bound, era, isVersion } = quantity;
      while ((words[next]?.start ?? Number.POSITIVE_INFINITY) < quantity.end) next++;
      const found = { quantity, isCount: isCount(text, words, quantity, next) };
      const key = [value, halfStep, unit?.dimension, unit?.factor, bound?.sign, era, isVersion, found.isCount];
      quantities.set(key.join("|"), found);
    }
    for (const time of readTimes(text))
      times.set([time.minutes, time.isHalfDayUnknown, time.zoneMinutes].join("|"), time);
    for (const date of readDates(text, words)) {
      const { year, month, day, either } = date;
      if (month !== null || either) dates.set([year, month, day, either].join("|"), date);
    }
  }
  const sorted = [...quantities.values()].flatMap((found) =>
    valuesOf(found.quantity).map((value) => ({ value, ...found })),
  );
  return {
    sorted: sorted.sort((a, b) => a.value - b.value),
    times: [...times.values()].slice(0, MAX_MOMENTS),
    dates: [...dates.values()].slice(0, MAX_MOMENTS),
  };
};

const MAX_COMPARED = 200;
/** Rounded numbers differ by less than this fraction. */
const MAX_ROUNDING_FRACTION = 0.03;

/** Whether two numbers are equal. Either may lack the unit, or what it is counted per. */
export const isSameOrNearly = (other: Quantity, quantity: Quantity): boolean =>
  isSameNumber(other, quantity) ||
  (other.value === quantity.value &&
    relationOf(other.unit, quantity.unit) === "same" &&
    isSameNumber({ ...other, unit: null }, { ...quantity, unit: null }));

/**
 * Whether a context's number states the claim's: it is equal, or the claim rounds it. "5" doesn't state "5.1", and "5 bolts"
 * doesn't state "5 litres".
 */
const states = ({ quantity: other, isCount }: IndexedNumber, quantity: Quantity): boolean => {
  if (isCount && quantity.unit) return false;
  return isSameOrNearly(other.isVersion || quantity.isVersion ? other : { ...other, halfStep: 0 }, quantity);
};

const isNear = (value: number, quantity: Quantity, { sorted }: NumberIndex): boolean => {
  const reach = Math.abs(value) * MAX_ROUNDING_FRACTION + 1e-9;
  const from = firstIndex(sorted.length, (at) => (sorted[at]?.value ?? 0) >= value - reach);
  for (let i = from; i < Math.min(sorted.length, from + MAX_COMPARED); i++) {
    const other = sorted[i];
    if (!other || other.value > value + reach) break;
    if (states(other, quantity)) return true;
  }
  return false;
};

/** Whether a context's bound implies the claim's: "over 100 weeks" implies "over 100 days". */
const isImplied = ({ value, unit, bound }: Quantity, by: Quantity): boolean =>
  bound?.sign === ">" &&
  by.bound?.sign === ">" &&
  unit !== null &&
  unit.dimension === by.unit?.dimension &&
  by.value * by.unit.factor >= value * unit.factor;

const isInContexts = (quantity: Quantity, index: NumberIndex): boolean => {
  const { sorted } = index;
  // A proportion may be written as 0.5 or as 50 %.
  const asShare = quantity.unit === null ? [quantity.value * 100] : [];
  const asPart = quantity.unit?.dimension === "percent" ? [(quantity.value * quantity.unit.factor) / 100] : [];
  if ([...valuesOf(quantity), ...asShare, ...asPart].some((value) => isNear(value, quantity, index))) return true;
  // The unit is different, such as kilometres for miles, or the bound is.
  return (
    quantity.unit !== null &&
    sorted.length <= MAX_COMPARED &&
    sorted.some((other) => (other.quantity.unit && states(other, quantity)) || isImplied(quantity, other.quantity))
  );
};

/** A number, date or time that no context contains. */
interface MissingNumber extends Span {
  isSpelled: boolean;
}

const POINTS_AT =
  /(?:passages?|contexts?|documents?|sources?|steps?|chapters?|sections?|figures?|tables?|nos?|numbers?)\.?\s?[([]?(?:\d+\s?(?:,|and|&|-|–)\s?)*$/i;
const VAGUE = new Set(["one", "first", "once", "half", "1st"]);

/** Whether a rate means always: "24 hours a day", "seven days a week". */
const isAlways = ({ value, unit }: Quantity): boolean => unit?.dimension === "time/time" && value * unit.factor === 1;

export interface NumberLookup {
  missing: MissingNumber[];
  /** Numbers, dates and times that a context contains. */
  found: Span[];
}

/** Looks up a claim's numbers, dates and times. The numbers of passages, steps and the like count as found. */
export const lookUpNumbers = (text: string, words: readonly Word[], index: NumberIndex): NumberLookup => {
  const times = readTimes(text);
  const lookup: NumberLookup = { missing: [], found: [] };
  for (const time of times) {
    const { start, end } = time;
    if (index.times.some((other) => isSameTime(time, other))) lookup.found.push({ start, end });
    else lookup.missing.push({ start, end, isSpelled: false });
  }
  const knownDates = readDates(text, words).filter((date) =>
    index.dates.some((other) => compareDates(date, other) === "same"),
  );
  lookup.found.push(...knownDates.map(({ start, end }) => ({ start, end })));
  const taken = [...times, ...knownDates];
  for (const quantity of readNumbers(text, words)) {
    const { start, end } = quantity;
    const written = text.slice(start, end);
    if (
      VAGUE.has(written.toLowerCase()) ||
      isAlways(quantity) ||
      taken.some((other) => other.start < end && start < other.end)
    )
      continue;
    const isPointer = /^\d{1,2}$/.test(written) && POINTS_AT.test(text.slice(Math.max(0, start - 40), start));
    const code = quantity.unit
      ? (/(?<!\p{L})\p{Lu}{3}\s$/u.exec(text.slice(Math.max(0, start - 5), start))?.[0] ?? "")
      : "";
    if (isPointer || isInContexts(quantity, index)) lookup.found.push(withBound(text, start - code.length, end));
    else lookup.missing.push({ start, end, isSpelled: !/\p{N}/u.test(written) });
  }
  return lookup;
};
