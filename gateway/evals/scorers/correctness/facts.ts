import { compareDates, type DateMention } from "../text/dates";
import { isSameNumber, type Quantity } from "../text/numbers";
import { STOP_WORDS } from "../text/stop-words";
import { unitByName } from "../text/units";
import { type ReadText, readText } from "./answer";
import type { Alias } from "./reference";

/** How an answer stands to a reference that is nothing but a date, or a number. */
export interface FactCheck {
  kind: "date" | "number";
  /** `same`: it gives this very one; `part`: only part of it ("2018" for "March 2018"); `other`: another one; `none`: no such. */
  verdict: "same" | "part" | "other" | "none";
  /** What the answer gives in its place, as it is written. */
  given: string | null;
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
export const factOf = (alias: Alias): Fact | undefined => {
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

const textOf = ({ text }: ReadText, part: { start: number; end: number } | undefined): string | null =>
  part ? text.slice(part.start, part.end) : null;

const checkDate = (expected: DateMention, answer: ReadText, question: ReadText): FactCheck => {
  const dates = answer.dates.filter((given) => !question.dates.some((asked) => compareDates(given, asked) === "same"));
  const agreeing = (verdict: string) => dates.filter((given) => compareDates(expected, given) === verdict);
  if (agreeing("same").length > 0) return { kind: "date", verdict: "same", given: textOf(answer, agreeing("same")[0]) };
  const [coarser] = agreeing("coarser");
  if (coarser) return { kind: "date", verdict: "part", given: textOf(answer, coarser) };
  const [other] = dates;
  return { kind: "date", verdict: other ? "other" : "none", given: textOf(answer, other) };
};

const checkNumber = (expected: Quantity, answer: ReadText, question: ReadText): FactCheck => {
  const all = [...answer.numbers, ...answer.dates.flatMap((date) => yearAsNumber(date))];
  const same = all.find((given) => isSameNumber(expected, given));
  if (same) return { kind: "number", verdict: "same", given: textOf(answer, same) };
  const [other] = answer.numbers.filter((given) => !question.numbers.some((asked) => isSameNumber(given, asked)));
  return { kind: "number", verdict: other ? "other" : "none", given: textOf(answer, other) };
};

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
