import { compareDates, type DateMention } from "../text/dates";
import { isSameNumber, type Quantity } from "../text/numbers";
import { STOP_WORDS } from "../text/stop-words";
import { unitByName } from "../text/units";
import { type ReadText, readText } from "./answer";
import type { Alias } from "./reference";

/** How an answer stands to a reference that is nothing but a date, or a number. */
export interface FactCheck {
  kind: "date" | "number";
  /** The reference as a date; null for a number. */
  expected: DateMention | null;
  /** `same`: it gives this very one; `part`: only part of it ("2018" for "March 2018"); `other`: another one; `none`: no such. */
  verdict: "same" | "part" | "other" | "none";
  /** What the answer gives in its place. */
  given: Given | null;
  /** Dates, or numbers, that the answer gives before it and that the question has not. */
  earlier: number;
}

interface Given {
  text: string;
  start: number;
  end: number;
}

/** Words of a bare date or number that are neither: "about 40 percent", "season 3", "the 5th century". */
const AROUND = new Set(
  "about around approximately roughly circa c ca over nearly almost since early late mid bc ad bce ce".split(" "),
);

interface Fact {
  date: DateMention | null;
  number: Quantity | null;
}

/** The one date or number that an alias is, or undefined where it is anything else. */
const factOf = (alias: Alias): Fact | undefined => {
  if (alias.words.length > 8) return undefined;
  const read = readText(alias.text);
  const [date = null] = read.dates;
  const [number = null] = read.numbers;
  const fact = date ?? number;
  if (!fact || read.dates.length + read.numbers.length > 1) return undefined;
  const others = read.words.filter(({ start, norm }) => {
    const isOf = start >= fact.start && start < fact.end;
    return !isOf && !STOP_WORDS.has(norm) && !AROUND.has(norm) && !unitByName(norm);
  });
  return others.length === 0 ? { date, number } : undefined;
};

const givenOf = ({ text }: ReadText, { start, end }: { start: number; end: number }): Given => ({
  text: text.slice(start, end),
  start,
  end,
});

const checkDate = (expected: DateMention, answer: ReadText, question: ReadText): FactCheck => {
  const dates = answer.dates.filter((given) => !question.dates.some((asked) => compareDates(given, asked) === "same"));
  const verdicts = dates.map((given) => compareDates(expected, given));
  for (const [agreement, verdict] of [
    ["same", "same"],
    ["coarser", "part"],
  ] as const) {
    const place = verdicts.indexOf(agreement);
    const date = dates[place];
    if (date) return { kind: "date", expected, verdict, given: givenOf(answer, date), earlier: place };
  }
  const [other] = dates;
  return {
    kind: "date",
    expected,
    verdict: other ? "other" : "none",
    given: other ? givenOf(answer, other) : null,
    earlier: 0,
  };
};

const checkNumber = (expected: Quantity, answer: ReadText, question: ReadText): FactCheck => {
  const news = answer.numbers.filter((given) => !question.numbers.some((asked) => isSameNumber(given, asked)));
  const same = [...answer.numbers, ...answer.dates.flatMap(yearAsNumber)].find((given) =>
    isSameNumber(expected, given),
  );
  if (same) {
    const earlier = news.filter((given) => given.start < same.start && isComparable(given, same)).length;
    return { kind: "number", expected: null, verdict: "same", given: givenOf(answer, same), earlier };
  }
  const [other] = news;
  return {
    kind: "number",
    expected: null,
    verdict: other ? "other" : "none",
    given: other ? givenOf(answer, other) : null,
    earlier: 0,
  };
};

/** "5 km" and "5 m" are, "5 km" and "5 %" are not. */
const isComparable = (a: Quantity, b: Quantity): boolean =>
  a.unit && b.unit ? a.unit.dimension === b.unit.dimension : a.isOrdinal === b.isOrdinal;

/** A bare number that was taken for a year: "1500". */
const yearAsNumber = ({ year, month, start, end }: DateMention): Quantity[] =>
  year === null || month !== null
    ? []
    : [{ value: year, halfStep: 0.5, unit: null, isOrdinal: false, isYear: false, isDecade: false, start, end }];

/** Compares a reference that is a bare date or number with those of the answer; undefined for other references. */
export const checkFact = (alias: Alias, answer: ReadText, question: ReadText): FactCheck | undefined => {
  const fact = factOf(alias);
  if (fact?.date) return checkDate(fact.date, answer, question);
  return fact?.number ? checkNumber(fact.number, answer, question) : undefined;
};

/**
 * Whether a reference of several words has numbers or dates that are news, the answer has none of them, and others in
 * their place: "within 90 days" for "within 30 days".
 */
export const hasOtherNumbers = (alias: Alias, answer: ReadText, question: ReadText): boolean => {
  const read = readText(alias.text);
  const numbers = read.numbers.filter((number) => !question.numbers.some((asked) => isSameNumber(number, asked)));
  const dates = read.dates.filter((date) => !question.dates.some((asked) => compareDates(date, asked) === "same"));
  const isTold =
    numbers.some((number) => answer.numbers.some((given) => isSameNumber(number, given))) ||
    dates.some((date) => answer.dates.some((given) => !["conflict", "unrelated"].includes(compareDates(date, given))));
  if (isTold) return false;
  const isNews = (given: Quantity) => !question.numbers.some((asked) => isSameNumber(given, asked));
  return (
    numbers.some((number) => answer.numbers.some((given) => isComparable(number, given) && isNews(given))) ||
    dates.some((date) => answer.dates.some((given) => compareDates(date, given) === "conflict"))
  );
};

/** Whether the answer contradicts a reference that tells the same date more exactly: "15 August 1945" for "17 August 1945" and "1945". */
export const isRefuted = ({ verdict, expected }: FactCheck, others: readonly FactCheck[]): boolean =>
  verdict === "same" &&
  expected !== null &&
  others.some(
    (other) =>
      other.verdict === "other" &&
      other.expected !== null &&
      compareDates(expected, other.expected) === "same" &&
      compareDates(other.expected, expected) === "coarser",
  );
