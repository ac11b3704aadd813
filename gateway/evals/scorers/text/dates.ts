import { type Quantity, readNumbers } from "./numbers";
import { readWords, type Word, wordMap } from "./words";

/** A full or partial date found in a text. */
export interface DateMention {
  /** Negative for years BC: 44 BC is -44. */
  year: number | null;
  /** 1 to 12. */
  month: number | null;
  day: number | null;
  /**
   * The two numbers of an ambiguous date such as "03/04/1999", which countries read differently; `month` and `day` are
   * then null.
   */
  either: readonly [number, number] | null;
  /** Any year of a decade: "the 1990s". */
  isDecade: boolean;
  /** UTF-16 offsets. */
  start: number;
  end: number;
}

/** The number of each month, 1 to 12, by all of its names. A comma separates the months. */
const monthsOf = (names: string) => wordMap(names.split(",").map((same, index) => [same, index + 1]));

const ENGLISH_MONTHS = monthsOf(
  "january jan, february feb, march mar, april apr, may, june jun, july jul, august aug, september sep sept, october oct, november nov, december dec",
);
/** As `normaliseWord` returns them: German, French, Spanish, Italian, Portuguese, Dutch, and Russian in the genitive. */
const OTHER_MONTHS = monthsOf(`
  januar janner janvier enero gennaio janeiro januari января, februar fevrier febrero febbraio fevereiro februari февраля,
  marz mars marzo marco maart марта, avril abril aprile апреля, mai mayo maggio maio mei мая, juni juin junio giugno junho июня,
  juli juillet julio luglio julho июля, august aout agosto augustus августа, septembre septiembre settembre setembro сентября,
  oktober octobre octubre ottobre outubro октября, novembre noviembre novembro ноября,
  dezember decembre diciembre dicembre dezembro декабря
`);
const MONTHS: ReadonlyMap<string, number> = new Map([...OTHER_MONTHS, ...ENGLISH_MONTHS]);

/** Whether a word is a month in any of the languages and has no other meaning in English. "May" and "March" have. */
export const isMonthName = (word: string): boolean =>
  !/^(?:may|march)$/i.test(word) && MONTHS.has(word.toLowerCase().normalize("NFD").replace(/\p{M}/gu, ""));

/** Finds a month by its name. "may" and "march" are months only if capitalised, "mars" and "juli" only next to a day. */
const monthOf = (word: Word | undefined, isBesideDay: boolean): number | null => {
  if (!word) return null;
  const isCapital = /^\p{Lu}/u.test(word.text);
  if (isBesideDay) return (isCapital || !ENGLISH_MONTHS.has(word.norm) ? MONTHS.get(word.norm) : undefined) ?? null;
  return (isCapital ? ENGLISH_MONTHS.get(word.norm) : undefined) ?? null;
};

const dayOf = (word: Word | undefined): number | null => {
  const [, digits] = /^(\d{1,2})(?:st|nd|rd|th|er)?$/.exec(word?.norm ?? "") ?? [];
  const day = Number(digits);
  return day >= 1 && day <= 31 ? day : null;
};

interface Read {
  date: Pick<DateMention, "year" | "month" | "day"> & Partial<Pick<DateMention, "either">>;
  /** The number of words read. */
  length: number;
}

/** Years by the offset of their word. */
type Years = ReadonlyMap<number, Quantity>;

const yearOf = (word: Word | undefined, years: Years): number | null => {
  const year = word && years.get(word.start);
  if (!year || year.isDecade) return null;
  return year.era === "bc" ? -year.value : year.value;
};

const LINKS = new Set(["of", "de", "del", "di"]);

/** Reads "12 March 1990", "12th of March", "March 12, 1990", "March 1990", "March", "5. Januar 2021", "5 de enero de 2021". */
const readNamed = (words: readonly Word[], at: number, years: Years): Read | undefined => {
  const first = words[at];
  const isLink = (place: number) => Number(LINKS.has(words[place]?.norm ?? ""));
  const day = dayOf(first);
  if (day !== null) {
    const place = at + 1 + isLink(at + 1);
    const month = monthOf(words[place], true);
    if (month === null) return undefined;
    const next = place + 1 + isLink(place + 1);
    const year = yearOf(words[next], years);
    return { date: { day, month, year }, length: (year === null ? place : next) + 1 - at };
  }
  const dayBehind = dayOf(words[at + 1]);
  const month = monthOf(first, dayBehind !== null);
  if (month === null) return undefined;
  const year = yearOf(words[at + (dayBehind === null ? 1 : 2)], years);
  return { date: { day: dayBehind, month, year }, length: 1 + (dayBehind === null ? 0 : 1) + (year === null ? 0 : 1) };
};

const isIn = (value: number, low: number, high: number): boolean => value >= low && value <= high;

/** The number in a word of one to four digits; NaN for any other word. */
const digitsOf = (word: Word | undefined): number =>
  /^\d{1,4}$/.test(word?.norm ?? "") ? Number(word?.norm) : Number.NaN;

const CJK_MARKS = [/^[年년]$/, /^[月월]$/, /^[日号號일]$/];

/** Reads "2021年1月5日" or "2021년 1월 5일", with or without the day. */
const readMarked = (words: readonly Word[], at: number): Read | undefined => {
  const parts = CJK_MARKS.map((mark, index) => {
    const place = at + 2 * index;
    return mark.test(words[place + 1]?.norm ?? "") ? digitsOf(words[place]) : Number.NaN;
  });
  const [year = Number.NaN, month = Number.NaN, day = Number.NaN] = parts;
  if (!isIn(year, 1, 2100) || !isIn(month, 1, 12)) return undefined;
  return isIn(day, 1, 31) ? { date: { year, month, day }, length: 6 } : { date: { year, month, day: null }, length: 4 };
};

/** Reads "2020-03" or "03/2020". "2003-04" is skipped, because it may be a season. */
const readMonthAndYear = (words: readonly Word[], at: number, source: string): Read | undefined => {
  const [a, b] = [words[at], words[at + 1]];
  if (!a || !b || !/^\d{2}(?:\d{2})?$/.test(a.norm) || !/^\d{2}(?:\d{2})?$/.test(b.norm)) return undefined;
  const between = source.slice(a.end, b.start);
  const around = source.slice(Math.max(0, a.start - 2), a.start) + source.slice(b.end, b.end + 2);
  if (!/^[-/]$/.test(between) || /\d[-/.:,]|[-/.:,]\d/.test(around)) return undefined;
  const [x, y] = [digitsOf(a), digitsOf(b)];
  if (a.norm.length === 4 && b.norm.length === 2 && isIn(x, 1000, 2100) && isIn(y, 1, Math.min(12, x % 100)))
    return { date: { year: x, month: y, day: null }, length: 2 };
  return a.norm.length === 2 && b.norm.length === 4 && isIn(x, 1, 12) && isIn(y, 1000, 2100)
    ? { date: { year: y, month: x, day: null }, length: 2 }
    : undefined;
};

/** Reads "1990-03-12", "12/03/1990" or "12.03.1990". With full stops, the day comes first. */
const readNumeric = (words: readonly Word[], at: number, source: string): Read | undefined => {
  const [a, b, c] = [words[at], words[at + 1], words[at + 2]];
  if (!a || !b || !c) return undefined;
  const between = source.slice(a.end, b.start);
  if (!/^(?:[-/–]|\.\s?)$/.test(between) || source.slice(b.end, c.start) !== between) return undefined;
  // "1.2.2003.4" and "10-10-2000-5" are not dates.
  if (
    /^[-/.]\d/.test(source.slice(c.end, c.end + 2)) ||
    /\d[-/.]$/.test(source.slice(Math.max(0, a.start - 2), a.start))
  )
    return undefined;
  const [x, y, z] = [digitsOf(a), digitsOf(b), digitsOf(c)];
  if (isIn(x, 1000, 2100) && isIn(y, 1, 12) && isIn(z, 1, 31))
    return { date: { year: x, month: y, day: z }, length: 3 };
  if (!isIn(z, 1000, 2100) || !isIn(x, 1, 31) || !isIn(y, 1, 31)) return undefined;
  if (y <= 12 && (x > 12 || x === y || between.startsWith(".")))
    return { date: { year: z, month: y, day: x }, length: 3 };
  if (y > 12 && x <= 12) return { date: { year: z, month: x, day: y }, length: 3 };
  return y > 12 ? undefined : { date: { year: z, month: null, day: null, either: [x, y] }, length: 3 };
};

/** The dates in a text, including bare years and decades. */
export const readDates = (source: string, words: readonly Word[] = readWords(source)): DateMention[] => {
  const dates: DateMention[] = [];
  const years: Years = new Map(
    readNumbers(source, words)
      .filter(({ isYear }) => isYear)
      .map((year) => [year.start, year]),
  );
  for (let at = 0; at < words.length; ) {
    const first = words[at];
    const read =
      readMarked(words, at) ??
      readNumeric(words, at, source) ??
      readMonthAndYear(words, at, source) ??
      readNamed(words, at, years);
    const year = first && years.get(first.start);
    const last = words[at + (read?.length ?? 1) - 1];
    if (first && last && (read || year)) {
      const date = read?.date ?? { year: yearOf(first, years) ?? year?.value ?? null, month: null, day: null };
      const end = Math.max(last.end, years.get(last.start)?.end ?? 0);
      dates.push({ either: null, ...date, isDecade: !read && year?.isDecade === true, start: first.start, end });
    }
    at += read?.length ?? 1;
  }
  return dates;
};

type DateAgreement = "same" | "coarser" | "conflict" | "unrelated";

/** Both readings of "03/04/1999": month first, and day first. They are equal for an unambiguous date. */
const readings = (date: DateMention): [DateMention, DateMention] => {
  const [first = null, second = null] = date.either ?? [];
  if (first === null) return [date, date];
  return [
    { ...date, month: first, day: second },
    { ...date, month: second, day: first },
  ];
};

const ORDER: readonly DateAgreement[] = ["same", "coarser", "conflict", "unrelated"];

/**
 * How a given date relates to an expected one. `same`: it contains everything expected. `coarser`: it is part of the
 * expected date ("1990" for "March 1990"). `conflict`: a part differs. `unrelated`: they have no part in common.
 * Ambiguous dates are compared with the month first and with the day first; the better result counts.
 */
export const compareDates = (expected: DateMention, given: DateMention): DateAgreement => {
  const [wanted, actual] = [readings(expected), readings(given)];
  const found = [compareReadings(wanted[0], actual[0]), compareReadings(wanted[1], actual[1])];
  return ORDER.find((agreement) => found.includes(agreement)) ?? "unrelated";
};

const compareReadings = (expected: DateMention, given: DateMention): DateAgreement => {
  let known = 0;
  let common = 0;
  for (const part of ["year", "month", "day"] as const) {
    const [wanted, actual] = [expected[part], given[part]];
    if (wanted !== null) known++;
    if (wanted === null || actual === null) continue;
    if (!isSamePart(part, wanted, actual, expected, given)) return "conflict";
    common++;
  }
  if (common === 0) return "unrelated";
  if (given.isDecade && !expected.isDecade) return "coarser";
  return common === known ? "same" : "coarser";
};

const isSamePart = (part: string, a: number, b: number, expected: DateMention, given: DateMention): boolean =>
  part === "year" && (expected.isDecade || given.isDecade) ? Math.floor(a / 10) === Math.floor(b / 10) : a === b;
