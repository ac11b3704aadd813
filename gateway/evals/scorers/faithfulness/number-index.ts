import { firstIndex } from "../../../../lib/first-index";
import type { Span } from "../../statistics/spans";
import { compareDates, type DateMention, readDates } from "../text/dates";
import { withBound } from "../text/number-surroundings";
import { isSameNumber, type Quantity, readNumbers } from "../text/numbers";
import { type ClockTime, isSameTime, readTimes } from "../text/times";
import { relationOf } from "../text/units";
import { readWords, type Word } from "../text/words";

/** The contexts' numbers, dates and times, indexed for lookup. */
export interface NumberIndex {
  /** Sorted by value. An ambiguous number is listed under both of its values. */
  sorted: readonly { value: number; quantity: Quantity }[];
  times: readonly ClockTime[];
  dates: readonly DateMention[];
}

/** Maximum number of dates, and of times, that are indexed. */
const MAX_MOMENTS = 1000;

const valuesOf = ({ value, otherValue }: Quantity): number[] => (otherValue === null ? [value] : [value, otherValue]);

export const indexNumbers = (texts: readonly string[]): NumberIndex => {
  const quantities = new Map<string, Quantity>();
  const times = new Map<string, ClockTime>();
  const dates = new Map<string, DateMention>();
  for (const text of texts) {
    const words = readWords(text);
    for (const quantity of readNumbers(text, words)) {
      const { value, halfStep, unit, bound, era, isVersion } = quantity;
      quantities.set([value, halfStep, unit?.dimension, unit?.factor, bound?.sign, era, isVersion].join("|"), quantity);
    }
    for (const time of readTimes(text))
      times.set([time.minutes, time.isHalfDayUnknown, time.zoneMinutes].join("|"), time);
    for (const date of readDates(text, words)) {
      const { year, month, day, either } = date;
      if (month !== null || either) dates.set([year, month, day, either].join("|"), date);
    }
  }
  const sorted = [...quantities.values()].flatMap((quantity) =>
    valuesOf(quantity).map((value) => ({ value, quantity })),
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

const isNear = (value: number, quantity: Quantity, { sorted }: NumberIndex): boolean => {
  const reach = Math.abs(value) * MAX_ROUNDING_FRACTION + 1e-9;
  const from = firstIndex(sorted.length, (at) => (sorted[at]?.value ?? 0) >= value - reach);
  for (let i = from; i < Math.min(sorted.length, from + MAX_COMPARED); i++) {
    const other = sorted[i];
    if (!other || other.value > value + reach) break;
    if (isSameOrNearly(other.quantity, quantity)) return true;
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
    sorted.some(
      (other) => (other.quantity.unit && isSameNumber(other.quantity, quantity)) || isImplied(quantity, other.quantity),
    )
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
