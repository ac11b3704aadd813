import { compareDates, type DateMention } from "../text/dates";
import { isSameNumber, type Quantity } from "../text/numbers";
import { isInFormula } from "../text/signs";
import { type ClockTime, isSameTime } from "../text/times";
import { unitByName } from "../text/units";
import { STOP_WORDS, type Word } from "../text/words";
import type { Alias } from "./aliases";
import { hasSymbol, marksOf, SYMBOLS } from "./marks";
import { squeezedRuns } from "./occurrences";
import { overlaps, type ReadText } from "./read-text";

/** How an answer compares with a reference that is only a date, a time of day or a number. */
export interface ValueCheck {
  /** The reference as a date; null for a time or number. */
  expected: DateMention | null;
  /** `same`: it gives this very one; `part`: only part of it ("2018" for "March 2018"); `other`: another one; `none`: no such. */
  verdict: "same" | "part" | "other" | "none";
  /** What the answer gives in its place. */
  given: Given | null;
}

interface Given {
  text: string;
  start: number;
  end: number;
}

/** Words that may accompany a bare date or number: "about 40 percent", "season 3", "minus five", "at least 5". */
const AROUND = new Set(
  (
    "about around approximately approx roughly circa c ca over nearly almost since early late mid " +
    "monday tuesday wednesday thursday friday saturday sunday ad ce no not maximum minimum max min minus negative plus less fewer more greater least most degrees degree zero freezing oclock uhr utc gmt morning afternoon evening night"
  ).split(" "),
);

interface BareValue {
  date: DateMention | null;
  /** One time, or the two of "9 am to 5 pm". */
  times: readonly ClockTime[];
  number: Quantity | null;
}

/** In references of up to this many words, every number counts. */
const FEW_WORDS = 6;

/** The date, time, date with time, time range or number that an alias consists of; undefined for any other alias. */
const bareValueOf = (alias: Alias): BareValue | undefined => {
  if (alias.words.length > 10 || hasSymbol(alias.text)) return undefined;
  const { read } = alias;
  const { times } = read;
  const [[date = null], [number = null]] = [read.dates, read.numbers];
  const facts = [...read.dates, ...times, ...read.numbers];
  const isPair = (date !== null && times.length === 1) || times.length === 2;
  if (facts.length === 0 || facts.length > (isPair ? 2 : 1)) return undefined;
  const isOther = (word: Word, at: number) =>
    !facts.some((fact) => overlaps(word, fact)) &&
    !/^\d/.test(word.norm) &&
    (isInFormula(read.words, at, read.text) ||
      !(STOP_WORDS.has(word.norm) || AROUND.has(word.norm) || unitByName(word.norm)));
  return read.words.some((word, at) => isOther(word, at) && !isZone(word, read)) ? undefined : { date, times, number };
};

/** Whether the text is a remnant of "T00:00:00.000Z", whose midnight is ignored. */
const isZone = ({ text, start }: Word, read: ReadText): boolean =>
  /^[tTzZ]\d{0,2}$/.test(text) && /\d$/.test(read.text.slice(0, start));

const givenOf = ({ text }: ReadText, { start, end }: { start: number; end: number }): Given => ({
  text: text.slice(start, end),
  start,
  end,
});

const NONE = { expected: null, verdict: "none", given: null } as const;

const checkDate = (expected: DateMention, answer: ReadText, question: ReadText): ValueCheck => {
  const dates = answer.dates.filter((given) => !question.dates.some((asked) => compareDates(given, asked) === "same"));
  const verdicts = dates.map((given) => compareDates(expected, given));
  for (const [agreement, verdict] of [
    ["same", "same"],
    ["coarser", "part"],
  ] as const) {
    const place = verdicts.indexOf(agreement);
    const date = dates[place];
    if (date) return { expected, verdict, given: givenOf(answer, date) };
  }
  const [other] = dates;
  return other ? { expected, verdict: "other", given: givenOf(answer, other) } : { ...NONE, expected };
};

const checkTime = (expected: ClockTime, answer: ReadText, question: ReadText): ValueCheck => {
  const times = answer.times.filter((given) => !question.times.some((asked) => isSameTime(given, asked)));
  const place = answer.times.findIndex((given) => isSameTime(expected, given));
  const same = answer.times[place];
  if (same) {
    return { expected: null, verdict: "same", given: givenOf(answer, same) };
  }
  const [other] = [...times, ...answer.numbers.filter(({ unit }) => unit === null)];
  return other ? { ...NONE, verdict: "other", given: givenOf(answer, other) } : NONE;
};

/** Compares a range such as "9 am to 5 pm": both times must match, in this order. */
const checkSpan = (from: ClockTime, to: ClockTime, answer: ReadText, question: ReadText): ValueCheck => {
  const [first, second] = [checkTime(from, answer, question), checkTime(to, answer, question)];
  if (first.verdict !== "same") return first;
  const isInOrder = (second.given?.start ?? 0) > (first.given?.start ?? 0);
  if (second.verdict === "same") return isInOrder ? first : { ...first, verdict: "other" };
  return answer.times.length > 1 ? { ...second, verdict: "other", given: first.given } : { ...first, verdict: "part" };
};

/** Compares a date with a time. Both must match; the date without the time is a partial match. */
const checkMoment = (date: DateMention, time: ClockTime, answer: ReadText, question: ReadText): ValueCheck => {
  const onDay = checkDate(date, answer, question);
  if (onDay.verdict !== "same") return onDay;
  const atTime = checkTime(time, { ...answer, numbers: [] }, question);
  return atTime.verdict === "same" ? onDay : { ...onDay, verdict: atTime.verdict === "none" ? "part" : "other" };
};

/** Compares a bare year that the answer writes as a number: "1.234" for "1234". */
const checkYear = (date: DateMention, answer: ReadText, question: ReadText): ValueCheck | undefined => {
  const [number] = answer.dates.length === 0 ? yearAsNumber(date) : [];
  const check = number && checkNumber(number, answer, question);
  return check && (check.verdict === "same" || (date.year ?? 0) < 1000) ? { ...check, expected: date } : undefined;
};

const checkNumber = (expected: Quantity, answer: ReadText, question: ReadText): ValueCheck => {
  const news = answer.numbers.filter((given) => !question.numbers.some((asked) => isSameNumber(given, asked)));
  const same = [...answer.numbers, ...answer.dates.flatMap(yearAsNumber)].find((given) =>
    isSameNumber(expected, given),
  );
  if (same) {
    return { expected: null, verdict: "same", given: givenOf(answer, same) };
  }
  const years = answer.dates.filter(
    (date) => yearAsNumber(date).length > 0 && !question.dates.some((asked) => compareDates(date, asked) === "same"),
  );
  const [other] = [...news, ...answer.times, ...years];
  return other ? { ...NONE, verdict: "other", given: givenOf(answer, other) } : NONE;
};

/** A bare year such as "1500" as a number; empty for other dates. */
const yearAsNumber = ({ year, month, start, end }: DateMention): Quantity[] =>
  year === null || month !== null
    ? []
    : [
        {
          value: Math.abs(year),
          otherValue: null,
          halfStep: 0.5,
          unit: null,
          bound: null,
          era: year < 0 ? "bc" : null,
          isOrdinal: false,
          isYear: false,
          isDecade: false,
          start,
          end,
        },
      ];

/** Compares a reference that is a bare date, time or number with those of the answer; undefined for other references. */
export const checkValue = (alias: Alias, answer: ReadText, question: ReadText): ValueCheck | undefined => {
  const { date, times: [time, until] = [], number } = bareValueOf(alias) ?? {};
  if (time && until) return checkSpan(time, until, answer, question);
  if (date && time) return checkMoment(date, time, answer, question);
  if (date) return checkYear(date, answer, question) ?? checkDate(date, answer, question);
  if (time) return checkTime(time, answer, question);
  return number ? checkNumber(number, answer, question) : undefined;
};

/** Whether values of the reference are replaced: one of them is missing, and the answer has another that is new. */
const areReplaced = <T>(
  [wanted, given, asked]: readonly [readonly T[], readonly T[], readonly T[]],
  isSame: (a: T, b: T) => boolean,
  isShort: boolean,
): boolean => {
  const isIn = (value: T, others: readonly T[]) => others.some((other) => isSame(value, other));
  const news = wanted.filter((value) => !isIn(value, asked));
  const missing = news.filter((value) => !isIn(value, given));
  if (missing.length === 0 || (!isShort && missing.length < news.length)) return false;
  return given.some((value) => !isIn(value, asked) && !isIn(value, wanted));
};

/**
 * Whether the answer replaces a number, date or time of a reference: "within 90 days" for "within 30 days". In a long
 * reference, all of its values must be missing.
 */
export const replacesValue = (alias: Alias, answer: ReadText, question: ReadText): boolean => {
  const { read, words, squeezed } = alias;
  const isShort = words.length <= FEW_WORDS;
  // "978-3-16" is "978316".
  if (/^\p{Nd}+$/u.test(squeezed) && squeezedRuns(answer, alias).length > 0) return false;
  return (
    areReplaced([read.numbers, answer.numbers, question.numbers], isSameNumber, isShort) ||
    areReplaced([read.times, answer.times, question.times], isSameTime, isShort) ||
    areReplaced([read.dates, answer.dates, question.dates], (a, b) => compareDates(a, b) !== "conflict", isShort)
  );
};

/** Whether the answer contradicts a reference that gives the same date more precisely: "15 August 1945" for "17 August 1945" and "1945". */
export const isRefuted = ({ verdict, expected }: ValueCheck, others: readonly ValueCheck[]): boolean =>
  verdict === "same" &&
  expected !== null &&
  others.some(
    (other) =>
      other.verdict === "other" &&
      other.expected !== null &&
      compareDates(expected, other.expected) === "same" &&
      compareDates(other.expected, expected) === "coarser",
  );

/** In references of up to this many words, every mark counts. */
const MARKED_WORDS = 8;

/** Whether a short reference has a number, a letter or a symbol that neither the answer nor the question has. */
export const lacksMark = (alias: Alias, answer: ReadText, question: ReadText): boolean => {
  if (alias.words.length > MARKED_WORDS) return false;
  const lacksSymbol = Object.values(SYMBOLS).some((symbol) => symbol.test(alias.text) && !symbol.test(answer.text));
  if (lacksSymbol) return true;
  const wanted = marksOf(alias.words, alias.text);
  // Times have many forms; "978-3-16" is "978316", but "1.1" is not "11".
  const isSplit = wanted.some((mark) => mark.includes("."));
  if (wanted.length === 0 || /\p{Nd}:\p{Nd}{2}|\p{Nd}\s?[ap]\.?m\b/iu.test(alias.text)) return false;
  if (!isSplit && squeezedRuns(answer, alias).length > 0) return false;
  // "Which one is it?" has no number.
  const asked = question.words.filter(({ norm }) => norm !== "one");
  const given = new Set([...marksOf(answer.words, answer.text), ...marksOf(asked, question.text)]);
  const numbers = [...answer.numbers, ...question.numbers].filter(({ value }) => Number.isInteger(value));
  for (const { value } of numbers) given.add(String(value));
  for (const { year, day } of [...answer.dates, ...question.dates]) given.add(String(year)).add(String(day));
  return !wanted.every((mark) => given.has(mark));
};
