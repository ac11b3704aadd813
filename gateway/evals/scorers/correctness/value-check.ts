import { overlaps, type Span } from "../../statistics/spans";
import { compareDates, type DateMention } from "../text/dates";
import { wholeSpan } from "../text/number-surroundings";
import { isSameNumber, type Quantity } from "../text/numbers";
import { isInFormula } from "../text/signs";
import { type ClockTime, isSameTime } from "../text/times";
import { unitByName, withoutPeriod } from "../text/units";
import { STOP_WORDS, type Word, wordSet } from "../text/words";
import type { Alias } from "./aliases";
import { hasSymbol, marksOf, SYMBOLS } from "./marks";
import { squeezedRuns } from "./occurrences";
import { type ReadText, readText } from "./read-text";
import { reversesValue } from "./reversed-values";

/** How an answer compares with a reference that is only a date, a time of day or a number. */
export interface ValueCheck {
  /** The reference as a date; null for a time or number. */
  expected: DateMention | null;
  /**
   * `same`: the answer gives the same value. `part`: only part of it ("2018" for "March 2018"). `other`: a different
   * value. `none`: no value of this kind.
   */
  verdict: "same" | "part" | "other" | "none";
  /** The value that the answer gives instead. */
  given: (Span & { text: string }) | null;
}

const WEEKDAYS = wordSet("monday tuesday wednesday thursday friday saturday sunday");

/** Words that may accompany a bare date or number: "about 40 percent", "season 3", "minus five", "at least 5". */
const AROUND = new Set([
  ...WEEKDAYS,
  ...(
    "about around approximately approx roughly circa c ca over nearly almost since early late mid within old long tall wide " +
    "ad ce no not later earlier latest earliest maximum minimum max min minus negative plus less fewer more greater least most degrees degree zero freezing oclock uhr utc gmt morning afternoon evening night года год"
  ).split(" "),
]);

interface BareValue {
  date: DateMention | null;
  /** One time, or both times of "9 am to 5 pm". */
  times: readonly ClockTime[];
  number: Quantity | null;
}

/** Every mark counts in references of up to this many words. */
const MARKED_WORDS = 8;
/** Maximum number of reference values compared with the answer's. */
const MAX_AMOUNTS = 200;
/** Every number counts in references of up to this many words. */
const FEW_WORDS = 6;

/** The date, time, date with time, time range or number that an alias consists of; undefined for any other alias. */
const bareValueOf = (alias: Alias): BareValue | undefined => {
  if (alias.words.length > 10 || hasSymbol(alias.text)) return undefined;
  const { read } = alias;
  const { times } = read;
  const [[date = null], [number = null]] = [read.dates, read.numbers];
  const facts = [...read.dates, ...times, ...read.numbers.map((each) => wholeSpan(each, read.text))];
  const isPair = (date !== null && times.length === 1) || times.length === 2;
  if (facts.length === 0 || facts.length > (isPair ? 2 : 1)) return undefined;
  const isOther = (word: Word, at: number) =>
    !facts.some((fact) => overlaps(word, fact)) &&
    !/^\d(?!\d*[a-y]$)/.test(word.norm) &&
    (isInFormula(read.words, at, read.text) ||
      !(STOP_WORDS.has(word.norm) || AROUND.has(word.norm) || unitByName(word.norm)));
  return read.words.some((word, at) => isOther(word, at) && !isZone(word, read)) ? undefined : { date, times, number };
};

/** Whether the word is a remnant of "T00:00:00.000Z", whose midnight is ignored. */
const isZone = ({ text, start }: Word, read: ReadText): boolean =>
  /^[tTzZ]\d{0,2}$/.test(text) && /\d$/.test(read.text.slice(0, start));

type Same<T> = (a: T, b: T) => boolean;

const notIn = <T>(values: readonly T[], others: readonly T[], isSame: Same<T>): T[] =>
  values.filter((value) => !others.some((other) => isSame(value, other)));

const isSameDate = (a: DateMention, b: DateMention): boolean => compareDates(a, b) === "same";

/**
 * The answer's values that don't repeat the question. All of them count if the question offers the expected value:
 * "1990 or 1991?"
 */
const newValues = <T>(given: readonly T[], asked: readonly T[], expected: readonly T[], isRepeated: Same<T>): T[] =>
  notIn(given, expected.some((value) => asked.some((other) => isRepeated(value, other))) ? [] : asked, isRepeated);

/** Whether two amounts have the same number and the same unit. "2 hours" and "120 minutes" don't. */
const isSameWriting = (a: Quantity, b: Quantity): boolean =>
  a.value === b.value && a.unit?.dimension === b.unit?.dimension && a.unit?.factor === b.unit?.factor;

/**
 * Compares amounts. A period that only one of them has ("25 days", "25 days per year") is ignored, unless the question
 * asks for a different one.
 */
const sameAmount = ({ words }: ReadText): Same<Quantity> => {
  const periods = words.flatMap(({ norm }, at) =>
    PER.test(words[at - 1]?.norm ?? "") ? (unitByName(norm) ?? []) : [],
  );
  return (a, b) => {
    const [rate, amount] = a.unit?.per ? [a, b] : [b, a];
    const unit = rate.unit && withoutPeriod(rate.unit);
    if (isSameNumber(a, b) || !unit || !amount.unit || amount.unit.per) return isSameNumber(a, b);
    const isAsked = periods.length === 0 || periods.some(({ factor }) => factor === rate.unit?.per?.factor);
    return isAsked && isSameNumber({ ...rate, unit }, amount);
  };
};
const PER = /^(?:per|an?|each|every)$/;

/** The verdict for the first span that is defined. */
const toCheck = (
  { text }: ReadText,
  expected: DateMention | null,
  found: Readonly<Partial<Record<"same" | "part" | "other", Span>>>,
): ValueCheck => {
  for (const verdict of ["same", "part", "other"] as const) {
    const { start, end } = found[verdict] ?? {};
    if (start !== undefined && end !== undefined)
      return { expected, verdict, given: { text: text.slice(start, end), start, end } };
  }
  return { expected, verdict: "none", given: null };
};

const checkDate = (expected: DateMention, answer: ReadText, question: ReadText): ValueCheck => {
  const dates = newValues(answer.dates, question.dates, [expected], isSameDate);
  const same = dates.find((given) => isSameDate(expected, given));
  const part = dates.find((given) => compareDates(expected, given) === "coarser");
  return toCheck(answer, expected, { same, part, other: dates[0] });
};

const checkTime = (expected: ClockTime, answer: ReadText, question: ReadText): ValueCheck => {
  const news = notIn(answer.times, question.times, isSameTime);
  // "5:30 PM is 17:30" repeats the question's time in a different form.
  const same = (news.length > 0 ? news : answer.times).find((given) => isSameTime(expected, given));
  const [other] = [...news, ...answer.numbers.filter(({ unit }) => unit === null)];
  return toCheck(answer, null, { same, other });
};

const checkNumber = (expected: Quantity, answer: ReadText, question: ReadText): ValueCheck => {
  const asked = [...question.numbers, ...question.years];
  const numbers = newValues([...answer.numbers, ...answer.years], asked, [expected], isSameWriting);
  const isSame = sameAmount(question);
  const same = numbers.find((given) => isSame(expected, given));
  return toCheck(answer, null, { same, other: [...numbers, ...answer.times][0] });
};

/** Compares a range such as "9 am to 5 pm". Both times must match, in this order. */
const checkSpan = (from: ClockTime, to: ClockTime, answer: ReadText, question: ReadText): ValueCheck => {
  const [first, second] = [checkTime(from, answer, question), checkTime(to, answer, question)];
  if (first.verdict !== "same") return first;
  const isInOrder = (second.given?.start ?? 0) > (first.given?.start ?? 0);
  if (second.verdict === "same") return isInOrder ? first : { ...first, verdict: "other" };
  return { ...first, verdict: answer.times.length > 1 ? "other" : "part" };
};

/** Compares a date with a time. Both must match; the date without the time is a partial match. */
const checkMoment = (date: DateMention, time: ClockTime, answer: ReadText, question: ReadText): ValueCheck => {
  const onDay = checkDate(date, answer, question);
  if (onDay.verdict !== "same") return onDay;
  const { verdict } = checkTime(time, { ...answer, numbers: [] }, question);
  return { ...onDay, verdict: verdict === "none" ? "part" : verdict };
};

/** Compares a bare year that the answer writes as a number: "1.234" for "1234". */
const checkYear = (
  date: DateMention,
  { read }: Alias,
  answer: ReadText,
  question: ReadText,
): ValueCheck | undefined => {
  const [number] = answer.dates.length === 0 ? read.years : [];
  const check = number && checkNumber(number, answer, question);
  return check && (check.verdict === "same" || (date.year ?? 0) < 1000) ? { ...check, expected: date } : undefined;
};

/** Compares a reference that is only a date, time or number with the answer's values; undefined for other references. */
export const checkValue = (alias: Alias, answer: ReadText, question: ReadText): ValueCheck | undefined => {
  const check = compareValues(alias, answer, question);
  const days = [alias.read, answer, question].map(({ norms }) => norms.filter((norm) => WEEKDAYS.has(norm)));
  const [wanted = [], given = [], asked = []] = days;
  const isOther = areReplaced([wanted, given, asked], (a, b) => a === b, true) || reversesValue(alias.read, answer);
  return check && isOther ? { ...check, verdict: "other" } : check;
};

const compareValues = (alias: Alias, answer: ReadText, question: ReadText): ValueCheck | undefined => {
  const { date, times: [time, until] = [], number } = bareValueOf(alias) ?? {};
  if (time && until) return checkSpan(time, until, answer, question);
  if (date && time) return checkMoment(date, time, answer, question);
  if (date) return checkYear(date, alias, answer, question) ?? checkDate(date, answer, question);
  if (time) return checkTime(time, answer, question);
  return number ? checkNumber(number, answer, question) : undefined;
};

/** Whether the reference's values were replaced: one of them is missing, and the answer has a different new value. */
const areReplaced = <T>(
  [wanted, given, asked]: readonly [readonly T[], readonly T[], readonly T[]],
  isSame: Same<T>,
  isShort: boolean,
  isRepeated = isSame,
): boolean => {
  const news = notIn(wanted, asked, isRepeated);
  const said = newValues(given, asked, wanted, isRepeated);
  const missing = notIn(news, said, isSame);
  if (missing.length === 0 || (!isShort && missing.length < news.length)) return false;
  return notIn(said, [...asked, ...wanted], isSame).length > 0;
};

/**
 * Whether the answer replaces one of the reference's numbers, dates or times: "within 90 days" for "within 30 days". In
 * a long reference, all of its values must be missing.
 */
export const replacesValue = (alias: Alias, answer: ReadText, question: ReadText): boolean => {
  const { read, words, squeezed } = alias;
  const isShort = words.length <= FEW_WORDS;
  // "978-3-16" may be written as "978316".
  if (/^\p{Nd}+$/u.test(squeezed) && squeezedRuns(answer, alias).length > 0) return false;
  return (
    reversesValue(read, answer) ||
    areReplaced([read.numbers, answer.numbers, question.numbers], sameAmount(question), isShort, isSameWriting) ||
    areReplaced([read.times, answer.times, question.times], isSameTime, isShort) ||
    areReplaced([read.dates, answer.dates, question.dates], (a, b) => compareDates(a, b) !== "conflict", isShort)
  );
};

/** Whether the answer contradicts a more precise reference with the same date: "15 August 1945" for "17 August 1945". */
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

/** A value in a text, with the words that state it, including its sign and bound. */
type Valued = Span & ({ number: Quantity } | { date: DateMention } | { time: ClockTime });

const valuesOf = ({ numbers, dates, times, text }: ReadText): Valued[] => [
  ...numbers
    .filter((number) => isAmount(number) && !/[\p{L}_][-_]$/u.test(text.slice(0, number.start).slice(-2)))
    .map((number) => ({ number, ...wholeSpan(number, text) })),
  ...dates.map((date) => ({ date, start: date.start, end: date.end })),
  ...times.map((time) => ({ time, start: time.start, end: time.end })),
];
const isAmount = ({ isOrdinal, isVersion }: Quantity): boolean => !isOrdinal && !isVersion;

/** Whether two values are the same in any notation, with the same sign and bound. */
const isSameValue = (a: Valued, b: Valued, isSame: Same<Quantity>): boolean => {
  if ("number" in a) return "number" in b && !a.number.bound === !b.number.bound && isSame(a.number, b.number);
  return "date" in a ? "date" in b && isSameDate(a.date, b.date) : "time" in b && isSameTime(a.time, b.time);
};

/** Rewrites the answer's values as multi-word references write them, so that words match: "120 minutes" as "2 hours". */
export const inWordingOf = (aliases: readonly Alias[], answer: ReadText, question: ReadText): ReadText => {
  const values = aliases
    .filter((alias) => bareValueOf(alias) === undefined)
    .flatMap(({ read }) => valuesOf(read).map((value) => ({ value, wording: read.text.slice(value.start, value.end) })))
    .slice(0, MAX_AMOUNTS);
  if (values.length === 0) return answer;
  const asked = valuesOf(question);
  const isSame = sameAmount(question);
  const isRepeated = (a: Valued, b: Valued) => isSameValue(a, b, isSameWriting);
  const given = notIn(valuesOf(answer), asked, isRepeated).toSorted((a, b) => b.start - a.start);
  const text = given.reduce((said, value) => {
    const same = values.filter((other) => isSameValue(other.value, value, isSame));
    const written = said.slice(value.start, value.end);
    const wording = same.some((other) => other.wording === written) ? written : (same[0]?.wording ?? written);
    return said.slice(0, value.start) + wording + said.slice(value.end);
  }, answer.text);
  return text === answer.text ? answer : readText(text);
};

/** Whether the answer gives one of the reference's numbers without its bound: "20 patients" for "less than 20 patients". */
const lacksBound = ({ read }: Alias, answer: ReadText, question: ReadText): boolean => {
  const isSame = sameAmount(question);
  return notIn(
    read.numbers.filter(({ bound }) => bound),
    question.numbers,
    isSame,
  ).some((wanted) => {
    const same = answer.numbers.filter((given) => isSame(wanted, given));
    return same.length > 0 && same.every(({ bound }) => !bound);
  });
};

/** Whether a short reference contains a number, letter or symbol that neither the answer nor the question does (`given`). */
export const lacksMark = (alias: Alias, answer: ReadText, question: ReadText, given: ReadonlySet<string>): boolean => {
  if (alias.words.length > MARKED_WORDS) return false;
  const lacksSymbol = Object.values(SYMBOLS).some((symbol) => symbol.test(alias.text) && !symbol.test(answer.text));
  if (lacksSymbol || lacksBound(alias, answer, question)) return true;
  const wanted = marksOf(alias.words, alias.text);
  // Times can be written in many ways. "978-3-16" may be "978316", but "1.1" is not "11".
  const isSplit = wanted.some((mark) => mark.includes("."));
  if (wanted.length === 0 || /\p{Nd}:\p{Nd}{2}|\p{Nd}\s?[ap]\.?m\b/iu.test(alias.text)) return false;
  if (!isSplit && squeezedRuns(answer, alias).length > 0) return false;
  return !wanted.every((mark) => given.has(mark));
};
