import { compareDates, type DateMention, readDates } from "../text/dates";
import { isSameNumber, type Quantity, readNumbers } from "../text/numbers";
import { type ClockTime, isSameTime, readTimes } from "../text/times";
import { areRivals } from "../text/units";
import { readWords, type Word } from "../text/words";
import type { Span } from "./span";

/** The numbers, dates and times of the contexts, for a quick look. */
export interface NumberIndex {
  /** In ascending order; a number that may be read in two ways has two places. */
  sorted: readonly { value: number; quantity: Quantity }[];
  times: readonly ClockTime[];
  dates: readonly DateMention[];
}

/** Dates, and times, of the contexts that are compared. */
const MOST_MOMENTS = 1000;

const valuesOf = ({ value, otherValue }: Quantity): number[] => (otherValue === null ? [value] : [value, otherValue]);

export const indexNumbers = (texts: readonly string[]): NumberIndex => {
  const quantities = new Map<string, Quantity>();
  const times = new Map<string, ClockTime>();
  const dates = new Map<string, DateMention>();
  for (const text of texts) {
    const words = readWords(text);
    for (const quantity of readNumbers(text, words)) {
      const { value, halfStep, unit, bound, era } = quantity;
      quantities.set([value, halfStep, unit?.dimension, bound?.sign, era].join("|"), quantity);
    }
    for (const time of readTimes(text)) times.set([time.minutes, time.isHalfKnown, time.zoneMinutes].join("|"), time);
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
    times: [...times.values()].slice(0, MOST_MOMENTS),
    dates: [...dates.values()].slice(0, MOST_MOMENTS),
  };
};

const firstFrom = (sorted: NumberIndex["sorted"], value: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.value ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

const MOST_COMPARED = 200;
/** Numbers that round to each other differ by less than this share. */
const NEAR = 0.03;

/** The same number; with another unit as well, unless the two are currencies or scales. */
const isSameOrNearly = (other: Quantity, quantity: Quantity): boolean =>
  isSameNumber(other, quantity) ||
  (other.value === quantity.value &&
    !areRivals(other.unit, quantity.unit) &&
    isSameNumber({ ...other, unit: null }, { ...quantity, unit: null }));

const isNear = (value: number, quantity: Quantity, { sorted }: NumberIndex): boolean => {
  const reach = Math.abs(value) * NEAR + 1e-9;
  const from = firstFrom(sorted, value - reach);
  for (let i = from; i < Math.min(sorted.length, from + MOST_COMPARED); i++) {
    const other = sorted[i];
    if (!other || other.value > value + reach) break;
    if (isSameOrNearly(other.quantity, quantity)) return true;
  }
  return false;
};

const isTold = (quantity: Quantity, index: NumberIndex): boolean => {
  const { sorted } = index;
  // A share may be given out of 1 or out of 100.
  const asShare = quantity.unit === null ? [quantity.value * 100] : [];
  const asPart = quantity.unit?.dimension === "percent" ? [(quantity.value * quantity.unit.factor) / 100] : [];
  if ([...valuesOf(quantity), ...asShare, ...asPart].some((value) => isNear(value, quantity, index))) return true;
  // Another unit: kilometres of miles.
  return (
    quantity.unit !== null &&
    sorted.length <= MOST_COMPARED &&
    sorted.some((other) => other.quantity.unit && isSameNumber(other.quantity, quantity))
  );
};

/** A number that no context has. */
export interface Untold extends Span {
  isSpelled: boolean;
}

const POINTS_AT =
  /(?:passages?|contexts?|documents?|sources?|steps?|chapters?|sections?|figures?|tables?|nos?|numbers?)\.?\s?[([]?(?:\d+\s?(?:,|and|&|-|–)\s?)*$/i;
const VAGUE = new Set(["one", "first", "once", "half", "1st"]);

export interface NumbersTold {
  untold: Untold[];
  /** Those that a context has. */
  told: Span[];
}

/** The numbers, dates and times of a claim, by whether a context has them. Those that point at passages or steps count as told. */
export const untoldNumbers = (text: string, words: readonly Word[], index: NumberIndex): NumbersTold => {
  const times = readTimes(text);
  const found: NumbersTold = { untold: [], told: [] };
  for (const time of times) {
    const { start, end } = time;
    if (index.times.some((other) => isSameTime(time, other))) found.told.push({ start, end });
    else found.untold.push({ start, end, isSpelled: false });
  }
  const toldDates = readDates(text, words).filter((date) =>
    index.dates.some((other) => compareDates(date, other) === "same"),
  );
  found.told.push(...toldDates.map(({ start, end }) => ({ start, end })));
  const taken = [...times, ...toldDates];
  for (const quantity of readNumbers(text, words)) {
    const { start, end } = quantity;
    const written = text.slice(start, end);
    if (VAGUE.has(written.toLowerCase()) || taken.some((other) => other.start < end && start < other.end)) continue;
    const isPointer = /^\d{1,2}$/.test(written) && POINTS_AT.test(text.slice(Math.max(0, start - 40), start));
    if (isPointer || isTold(quantity, index)) found.told.push({ start, end });
    else found.untold.push({ start, end, isSpelled: !/\p{N}/u.test(written) });
  }
  return found;
};
