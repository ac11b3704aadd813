import { readNumbers } from "./numbers";
import { readWords, type Word } from "./words";

/** A date of a text, as far as it is told. */
export interface DateMention {
  year: number | null;
  /** From 1. */
  month: number | null;
  day: number | null;
  /** "the 1990s": any year of the ten. */
  isDecade: boolean;
  /** UTF-16 offsets. */
  start: number;
  end: number;
}

const MONTHS: ReadonlyMap<string, number> = new Map(
  "january february march april may june july august september october november december"
    .split(" ")
    .flatMap((name, index): [string, number][] => [
      [name, index + 1],
      [name.slice(0, 3), index + 1],
    ]),
);

const monthOf = (word: Word | undefined): number | null => {
  // "may" and "march" are months by their capital only.
  if (!word || !/^\p{Lu}/u.test(word.text)) return null;
  return MONTHS.get(word.norm) ?? (word.norm === "sept" ? 9 : null);
};

const dayOf = (word: Word | undefined): number | null => {
  const [, digits] = /^(\d{1,2})(?:st|nd|rd|th)?$/.exec(word?.norm ?? "") ?? [];
  const day = Number(digits);
  return day >= 1 && day <= 31 ? day : null;
};

const yearOf = (word: Word | undefined): number | null => {
  const [, digits] = /^([12]\d{3})$/.exec(word?.text ?? "") ?? [];
  const year = Number(digits);
  return digits !== undefined && year <= 2100 ? year : null;
};

interface Read {
  date: Pick<DateMention, "year" | "month" | "day">;
  length: number;
}

/** "12 March 1990", "12th of March", "March 12, 1990", "March 1990", "March". */
const readNamed = (words: readonly Word[], at: number): Read | undefined => {
  const first = words[at];
  const day = dayOf(first);
  if (day !== null) {
    const skip = words[at + 1]?.norm === "of" ? 1 : 0;
    const month = monthOf(words[at + 1 + skip]);
    if (month === null) return undefined;
    const year = yearOf(words[at + 2 + skip]);
    return { date: { day, month, year }, length: 2 + skip + (year === null ? 0 : 1) };
  }
  const month = monthOf(first);
  if (month === null) return undefined;
  const dayBehind = dayOf(words[at + 1]);
  const year = yearOf(words[at + (dayBehind === null ? 1 : 2)]);
  return { date: { day: dayBehind, month, year }, length: 1 + (dayBehind === null ? 0 : 1) + (year === null ? 0 : 1) };
};

const isIn = (value: number, low: number, high: number): boolean => value >= low && value <= high;

/** "1990-03-12", "12/03/1990": where day and month could be either, only the year is taken. */
const readNumeric = (words: readonly Word[], at: number, source: string): Read | undefined => {
  const [a, b, c] = [words[at], words[at + 1], words[at + 2]];
  if (!a || !b || !c) return undefined;
  const between = source.slice(a.end, b.start);
  if (!/^[-/.]$/.test(between) || source.slice(b.end, c.start) !== between) return undefined;
  const [x, y, z] = [a, b, c].map(({ norm }) => (/^\d{1,4}$/.test(norm) ? Number(norm) : Number.NaN));
  if (x === undefined || y === undefined || z === undefined) return undefined;
  if (isIn(x, 1000, 2100) && isIn(y, 1, 12) && isIn(z, 1, 31))
    return { date: { year: x, month: y, day: z }, length: 3 };
  if (!isIn(z, 1000, 2100) || !isIn(x, 1, 31) || !isIn(y, 1, 31)) return undefined;
  if (x > 12 && y <= 12) return { date: { year: z, month: y, day: x }, length: 3 };
  if (y > 12 && x <= 12) return { date: { year: z, month: x, day: y }, length: 3 };
  return { date: { year: z, month: x === y ? x : null, day: x === y ? x : null }, length: 3 };
};

/** The dates of a text, bare years and decades among them. */
export const readDates = (source: string, words: readonly Word[] = readWords(source)): DateMention[] => {
  const dates: DateMention[] = [];
  const years = new Map(
    readNumbers(source, words)
      .filter(({ isYear }) => isYear)
      .map((year) => [year.start, year]),
  );
  for (let at = 0; at < words.length; ) {
    const first = words[at];
    const read = readNumeric(words, at, source) ?? readNamed(words, at);
    const year = first && years.get(first.start);
    const last = words[at + (read?.length ?? 1) - 1];
    if (first && last && (read || year)) {
      const date = read?.date ?? { year: year?.value ?? null, month: null, day: null };
      dates.push({ ...date, isDecade: !read && year?.isDecade === true, start: first.start, end: last.end });
    }
    at += read?.length ?? 1;
  }
  return dates;
};

export type DateAgreement = "same" | "coarser" | "conflict" | "unrelated";

/**
 * How a given date stands to an expected one. `same`: it tells all that is expected; `coarser`: part of it and nothing
 * else ("1990" for "March 1990"); `conflict`: a part is another one; `unrelated`: they have no part in common.
 */
export const compareDates = (expected: DateMention, given: DateMention): DateAgreement => {
  let known = 0;
  let common = 0;
  for (const part of ["year", "month", "day"] as const) {
    const [wanted, told] = [expected[part], given[part]];
    if (wanted !== null) known++;
    if (wanted === null || told === null) continue;
    if (!isSamePart(part, wanted, told, expected, given)) return "conflict";
    common++;
  }
  if (common === 0) return "unrelated";
  if (given.isDecade && !expected.isDecade) return "coarser";
  return common === known ? "same" : "coarser";
};

const isSamePart = (part: string, a: number, b: number, expected: DateMention, given: DateMention): boolean =>
  part === "year" && (expected.isDecade || given.isDecade) ? Math.floor(a / 10) === Math.floor(b / 10) : a === b;
