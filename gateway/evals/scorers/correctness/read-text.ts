import { firstIndex } from "../../../../lib/first-index";
import { overlaps, type Span } from "../../statistics/spans";
import { type DateMention, readDates } from "../text/dates";
import { type Quantity, readNumbers } from "../text/numbers";
import { readSentences, type Sentence } from "../text/sentences";
import { type ClockTime, readTimes } from "../text/times";
import type { Word } from "../text/words";
import { keyOf, readNames, Vocabulary } from "./word-forms";

/** Where an alias occurs in an answer, counted in words. */
export interface Occurrence {
  at: number;
  length: number;
}

/** A text, parsed once for all checks. */
export interface ReadText {
  text: string;
  words: readonly Word[];
  /** Each word in the form in which words are compared. */
  keys: readonly string[];
  norms: readonly string[];
  /** The keys as one string, with a space around each word. */
  joinedKeys: string;
  /** All letters and digits, and the word that each of them belongs to. */
  squeezed: string;
  wordAt: Int32Array;
  /** Where each word starts in `squeezed`, and where the last one ends. */
  squeezedAt: Int32Array;
  sentences: readonly Sentence[];
  dates: readonly DateMention[];
  times: readonly ClockTime[];
  /** Numbers that are not part of a date or time. */
  numbers: readonly Quantity[];
  /** The dates that are only a year, as numbers. */
  years: readonly Quantity[];
  vocabulary: Vocabulary;
}

/** Maximum number of characters read; the rest of a longer text is ignored. */
const MAX_CHARACTERS = 40_000;
/** Maximum number of dates, and of numbers, compared per text. */
const MAX_VALUES = 200;

/** Joins words with a space around each. */
export const joined = (words: readonly string[]): string => ` ${words.join(" ")} `;

/** Joins the letters and digits of all words. */
export const squeeze = (words: readonly Word[]): string => words.map(({ norm }) => norm).join("");

/** Whether a time is the midnight of an ISO date, which is ignored: "2021-01-05T00:00:00.000Z". */
const isMidnightOfDate = ({ minutes, start }: ClockTime, text: string): boolean =>
  minutes === 0 && /\d-\d{2}[Tt ]$/.test(text.slice(0, start).slice(-5));

/** Parses a text. Answers may have lost spaces and contain footnote marks. */
export const readText = (source: string, isAnswer = true): ReadText => {
  const whole = typeSigns(source.slice(0, MAX_CHARACTERS).toWellFormed());
  const text = isAnswer ? unglue(whole) : whole;
  const words = readNames(text);
  const squeezed = squeeze(words);
  const wordAt = new Int32Array(squeezed.length);
  const squeezedAt = new Int32Array(words.length + 1);
  let place = 0;
  for (const [index, { norm }] of words.entries()) {
    wordAt.fill(index, place, place + norm.length);
    place += norm.length;
    squeezedAt[index + 1] = place;
  }
  const dates = readDates(text, words).slice(0, MAX_VALUES);
  const moments = readTimes(text).slice(0, MAX_VALUES);
  const taken = [...dates, ...moments];
  const isYear = ({ isYear, start, end }: Quantity) =>
    isYear && dates.some((date) => date.month === null && date.start === start && date.end === end);
  const numbers = readNumbers(text, words).slice(0, 2 * MAX_VALUES);
  const keys = words.map(keyOf);
  const norms = words.map(({ norm }) => norm);
  return {
    text,
    words,
    keys,
    norms,
    joinedKeys: joined(keys),
    squeezed,
    wordAt,
    squeezedAt,
    sentences: readSentences(text),
    dates,
    times: moments.filter((time) => !isMidnightOfDate(time, text)),
    numbers: numbers.filter((number) => !taken.some((moment) => overlaps(number, moment))).slice(0, MAX_VALUES),
    years: numbers.filter(isYear).slice(0, MAX_VALUES),
    vocabulary: new Vocabulary(words),
  };
};

/** The index, from 0, of the sentence that contains a word. */
export const sentenceOf = ({ words, sentences }: ReadText, at: number): number => {
  const start = words[at]?.start ?? 0;
  return Math.max(0, firstIndex(sentences.length, (place) => (sentences[place]?.start ?? 0) > start) - 1);
};

/** The words that a span touches. */
export const placeOf = ({ words }: Pick<ReadText, "words">, { start, end }: Span): Occurrence => {
  const at = firstIndex(words.length, (place) => (words[place]?.end ?? 0) > start);
  const next = firstIndex(words.length, (place) => (words[place]?.start ?? 0) >= end);
  return { at, length: Math.max(1, next - at) };
};

/** A short word joined to a name by a lost space: "onMarch". "McCormick" and "MacDonald" are one word. */
const GLUED_NAME = /(?<![\p{L}\p{M}])(?!Mc|Mac|De|Di|La|Le|Van)(\p{L}\p{Ll}{1,20})(?=\p{Lu}\p{Ll}{2})/gu;
/** A year joined to a word: "2016by". */
const GLUED_YEAR = /(?<!\p{Nd})((?:1[5-9]|20)\p{Nd}{2})(?=(?!s\b|th\b|st\b|nd\b|rd\b)\p{Ll}{2})/gu;
/** A footnote mark after a year: "in 20171". Without such a context, "15000" is not a year. */
const YEAR_WITH_NOTE =
  /(?<=(?:\b(?:in|since|until|till|by|from|during|year)|\p{Lu}\p{L}{2,8}(?:\s\p{Nd}{1,2},)?)\s)((?:1[5-9]|20)\p{Nd}{2})\p{Nd}{1,2}(?=\.?(?:\s+\p{Lu}|\s*$))/gu;
/** A superscript exponent: "x²" and "km²" become "x^2" and "km^2". After longer words, a superscript is a footnote mark. */
const RAISED = /(?<=(?<!\p{L})\p{L}{1,2}|\))[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,3}/gu;

/** A charge: "Ca²⁺". */
const CHARGE = /(?<=\p{L}\p{Nd}{0,3})[⁰¹²³⁴⁵⁶⁷⁸⁹]{0,3}[⁺⁻]/gu;
/** A product: "10 x 20", "10 by 20". */
const TIMES_SIGN = /(?<=\p{Nd})(?<!(?<!\p{Nd})0)(?:\s?[x×]\s?|\sby\s)(?=\p{Nd})/gu;
/**
 * A spelled-out sign: "B plus", "AA minus", "C plus plus" at the end of a clause, and in blood types and receptors: "O
 * negative", "HER2 positive".
 */
const SPOKEN_SIGN =
  /(?<=(?<![\p{L}\p{N}])(?:\p{Lu}|AA|BB|CC|AAA|BBB|CCC))\s(plus plus|plus|minus)(?=\s*(?:[.,;:!?)"”’\n]|$))|(?<=(?<![\p{L}\p{N}])(?:AB?|B|O|\p{Lu}{2,4}\p{Nd}{1,2}))[\s-](positive|negative)(?![\p{L}\p{N}])/gu;
const SPOKEN: Readonly<Record<string, string>> = {
  "plus plus": "++",
  plus: "+",
  minus: "-",
  positive: "+",
  negative: "-",
};

/** Periods: "an hour and a half" is 1.5 hours, and "an hour" is 1 hour. */
const PERIOD = "(second|minute|hour|day|week|month|year|decade|century)";
const ONE_PERIOD = new RegExp(
  String.raw`\b(?:an?|one)\s${PERIOD}\sand\s(?:a\s)?(half|quarter|three[\s-]quarters)\b|^\W*(?:it\s(?:takes|took|lasts|lasted)\s)?an?\s${PERIOD}(?=\W*$)`,
  "giu",
);
const PARTS: Readonly<Record<string, number>> = { half: 1.5, quarter: 1.25, "three quarters": 1.75 };

/** Areas and volumes: "20 square metres", "20 m²" and "20 m2" are the same, and so are "20 cubic metres" and "20 m³". */
const SQUARE =
  /(?<!\p{L})(square|sq\.?|cubic|cu\.?)\s(km|kilomet(?:er|re)s?|cm|centimet(?:er|re)s?|mm|millimet(?:er|re)s?|m|met(?:er|re)s?|mi|miles?|ft|foot|feet)(?!\p{L})/giu;
const POWER = /(?<=\p{Nd}\s?|illion\s)(km|cm|mm|m|mi|ft)(?:\^\{?)?([23²³])\}?(?![\p{L}\p{N}])/gu;
const unitOf = (name: string): string =>
  name
    .replace(/^(?:(k)ilo|(c)enti|(m)illi)?met\w+$/i, "$1$2$3m")
    .replace(/^miles?$/i, "mi")
    .replace(/^f[oe]et$|^foot$/i, "ft");

/** Accidentals: "C sharp minor", "E-flat major", "Bb". */
const FLAT_OR_SHARP =
  /(?<![\p{L}\p{N}]|\p{Nd}\s)([A-G])(?:[\s-](sharp|flat)|(b))(?=\s(?:major|minor)\b|\s*(?:[.,;:!?)"”’\n]|$))/gu;

/** A range of years: "1939–45". */
const YEARS = /(?<!\p{Nd}[-–/.]?)((?:1\p{Nd}|20)\p{Nd}{2})[-–](\p{Nd}{2})(?![-–/.]?\p{Nd})/gu;
/** A number sign: "Symphony No. 5", "№ 5", "Chanel number 5". Not in the answer "No. 5 people came." */
const NUMBER_SIGN =
  /(?<=\p{Lu}[\p{L}'’]*\s|^)(?:No\.|[Nn]umber)\s?(?=(?:\p{Nd}|One|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten)(?!.*\s\p{Ll}.*[.!?]$))|(?:№|(?<!\p{L})N[°º])\s?(?=\p{Nd})/gu;

/** A frequency: "twice daily", "2x a day". */
const OFTEN =
  /\b(once|twice|\p{Nd}+(?=\s?[x×]|\stimes)|\w+(?=\stimes))(?:\s?[x×]|\stimes)?\s(daily|weekly|monthly|a|per|every)\b/gu;
const COUNTS: Readonly<Record<string, string>> = { once: "1", twice: "2" };
const PERIODS: Readonly<Record<string, string>> = { daily: "per day", weekly: "per week", monthly: "per month" };

/** Rewrites superscripts and spelled-out symbols as they are typed: "x^2", "Ca2+", "B+". */
const typeSigns = (text: string): string =>
  text
    .replace(/\\[dt]?frac\{(\w+)\}\{(\w+)\}/g, "$1/$2")
    .replace(/\^\{?\\circ\}?(?=\s?[CF])/g, "°")
    .replace(/\^\{?\\circ\}?/g, " arcdegrees")
    .replace(/(?<!\bhalf )\ba dozen\b/gi, "12")
    .replace(ONE_PERIOD, (_, whole?: string, part = "", one = "") =>
      whole ? `${PARTS[part.toLowerCase().replace("-", " ")]} ${whole}s` : `1 ${one}`,
    )
    .replace(SQUARE, (_, power: string, unit: string) => `${unitOf(unit)}${/^s/i.test(power) ? 2 : 3}`)
    .replace(POWER, (_, unit: string, power: string) => `${unit}${power.normalize("NFKC")}`)
    .replace(FLAT_OR_SHARP, (_, note: string, sign?: string) => `${note}${sign === "sharp" ? "#" : "♭"}`)
    .replace(OFTEN, (_, word: string, often: string) => `${COUNTS[word] ?? word} times ${PERIODS[often] ?? often}`)
    .replace(YEARS, (range, from, to) => (to > from.slice(2) && to > "12" ? `${from}–${from.slice(0, 2)}${to}` : range))
    .replace(/\bnot? later than\b/gi, "by")
    .replace(NUMBER_SIGN, "")
    .replace(CHARGE, (charge) => charge.normalize("NFKC").replace("−", "-"))
    .replace(TIMES_SIGN, " × ")
    .replace(RAISED, (digits) => `^${digits.normalize("NFKC")}`)
    .replace(SPOKEN_SIGN, (_, sign?: string, charge = "") => SPOKEN[sign ?? charge] ?? "");

/** Restores spaces lost in extraction from web pages, and removes footnote marks from years. */
const unglue = (text: string): string =>
  text.replace(GLUED_NAME, "$1 ").replace(GLUED_YEAR, "$1 ").replace(YEAR_WITH_NOTE, "$1");
