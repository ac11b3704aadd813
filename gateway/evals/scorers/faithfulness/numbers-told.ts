import { isSameNumber, type Quantity, readNumbers } from "../text/numbers";
import type { Word } from "../text/words";
import { clockTimes, isSameTime } from "./clock";
import type { Span } from "./span";

/** The numbers of the contexts by value, for a quick look. */
export interface NumberIndex {
  /** In ascending order of value in the unit as written. */
  sorted: readonly Quantity[];
  /** Minutes since midnight. */
  clocks: readonly number[];
}

export const indexNumbers = (texts: readonly string[]): NumberIndex => {
  const byValue = new Map<string, Quantity>();
  const clocks = new Set<number>();
  for (const text of texts) {
    for (const quantity of readNumbers(text)) {
      byValue.set(`${quantity.value}|${quantity.unit?.dimension ?? ""}|${quantity.halfStep}`, quantity);
    }
    for (const { minutes } of clockTimes(text)) clocks.add(minutes);
  }
  return { sorted: [...byValue.values()].sort((a, b) => a.value - b.value), clocks: [...clocks] };
};

const firstFrom = (sorted: readonly Quantity[], value: number): number => {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.value ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

const MOST_COMPARED = 200;

const isTold = (quantity: Quantity, { sorted }: NumberIndex): boolean => {
  const from = firstFrom(sorted, quantity.value * (quantity.value < 0 ? 1.03 : 0.97));
  for (let i = from; i < Math.min(sorted.length, from + MOST_COMPARED); i++) {
    const other = sorted[i];
    if (!other || other.value > quantity.value * 1.03 + 1e-9) break;
    if (isSameNumber(other, quantity) || other.value === quantity.value) return true;
  }
  // Another unit: kilometres of miles.
  return (
    quantity.unit !== null &&
    sorted.length <= MOST_COMPARED &&
    sorted.some((other) => other.unit && isSameNumber(other, quantity))
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

/** The numbers and times of day of a claim, by whether a context has them. Those that point at passages or steps count as told. */
export const untoldNumbers = (text: string, words: readonly Word[], index: NumberIndex): NumbersTold => {
  const clocks = clockTimes(text);
  const found: NumbersTold = { untold: [], told: [] };
  for (const clock of clocks) {
    const { start, end } = clock;
    if (index.clocks.some((exact) => isSameTime(clock, exact))) found.told.push({ start, end });
    else found.untold.push({ start, end, isSpelled: false });
  }
  for (const quantity of readNumbers(text, words)) {
    const { start, end } = quantity;
    const written = text.slice(start, end);
    if (VAGUE.has(written.toLowerCase()) || clocks.some((clock) => clock.start < end && start < clock.end)) continue;
    const isPointer = /^\d{1,2}$/.test(written) && POINTS_AT.test(text.slice(Math.max(0, start - 40), start));
    if (isPointer || isTold(quantity, index)) found.told.push({ start, end });
    else found.untold.push({ start, end, isSpelled: !/\d/.test(written) });
  }
  return found;
};
