import { magnitudeOf, readSpelled, romanValue } from "./number-words";
import { type Unit, unitByName, unitBySymbol } from "./units";
import { readWords, type Word } from "./words";

/** A number of a text. */
export interface Quantity {
  /** In the unit as written, magnitude words included: "2.5 million" is 2500000. */
  value: number;
  /** Half a unit of the last digit written: 2.5 million stands for 2450000…2550000. */
  halfStep: number;
  unit: Unit | null;
  isOrdinal: boolean;
  /** A bare whole number from 1000 to 2100. */
  isYear: boolean;
  /** "1990s". */
  isDecade: boolean;
  /** UTF-16 offsets, the unit included. */
  start: number;
  end: number;
}

const DIGITS = /^(\p{Nd}+(?:\.\p{Nd}+)?)(st|nd|rd|th|s|k|m|bn|b|[a-z]{1,4})?$/u;
const ORDINAL_ENDINGS = new Set(["st", "nd", "rd", "th"]);
const SHORT_MAGNITUDES: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, bn: 1e9, b: 1e9 };

/** Digits of any script as a number. */
const toNumber = (digits: string): number =>
  Number(digits.replace(/\p{Nd}/gu, (digit) => (/\d/.test(digit) ? digit : String(digitValue(digit)))));

/** Digits of a script follow each other from its zero, which follows something that is no digit, or another script's 9. */
const digitValue = (digit: string): number => {
  const code = digit.codePointAt(0) ?? 0;
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value++;
  return value;
};

interface Read {
  value: number;
  step: number;
  isOrdinal: boolean;
  isDecade: boolean;
  isPlain: boolean;
  unit: Unit | null;
  length: number;
}

const readDigits = (words: readonly Word[], at: number, source: string): Read | undefined => {
  const word = words[at];
  const [, digits, ending = ""] = DIGITS.exec(word?.norm ?? "") ?? [];
  if (!word || digits === undefined) return undefined;
  const decimals = digits.split(".")[1]?.length ?? 0;
  const isMoney = unitBySymbol(source.charAt(word.start - 1)) !== undefined;
  const short = ending === "m" && !isMoney ? undefined : SHORT_MAGNITUDES[ending];
  const named = magnitudeOf(words[at + 1]?.norm ?? "");
  const unit = short === undefined ? (unitByName(ending) ?? null) : null;
  if (ending !== "" && !short && !unit && !ORDINAL_ENDINGS.has(ending) && ending !== "s") return undefined;
  const magnitude = short ?? (ending === "" ? named : undefined) ?? 1;
  return {
    value: toNumber(digits) * magnitude,
    step: 10 ** -decimals * magnitude,
    isOrdinal: ORDINAL_ENDINGS.has(ending),
    isDecade: ending === "s",
    isPlain: ending === "" && decimals === 0 && magnitude === 1 && !word.text.includes(","),
    unit,
    length: ending === "" && named !== undefined ? 2 : 1,
  };
};

const readInWords = (words: readonly Word[], at: number): Read | undefined => {
  const spelled = readSpelled(words, at);
  const roman = spelled ? undefined : romanValue(words[at]?.text ?? "");
  if (!spelled && roman === undefined) return undefined;
  const value = spelled?.value ?? roman ?? 0;
  return {
    value,
    step: 1,
    isOrdinal: spelled?.isOrdinal ?? true,
    isDecade: false,
    isPlain: false,
    unit: null,
    length: spelled?.length ?? 1,
  };
};

/** The unit before or behind the words from `at` to `next`, and where it ends. */
const unitAround = (words: readonly Word[], at: number, next: number, source: string) => {
  const last = words[next - 1];
  const end = last?.end ?? 0;
  const behind = /^\s?([%€£$₹¥])(?!\p{Nd})/u.exec(source.slice(end, end + 3));
  const before = unitBySymbol(source.charAt((words[at]?.start ?? 0) - 1));
  if (before) return { unit: before, end };
  if (behind?.[1]) return { unit: unitBySymbol(behind[1]) ?? null, end: end + behind[0].length };
  const following = words[next];
  // "5 km", "5-mile", not "in 1912. Miles".
  if (!following || !/^[\s-]{1,2}$/.test(source.slice(end, following.start))) return { unit: null, end };
  const unit = unitByName(following.norm) ?? null;
  return { unit, end: unit ? following.end : end };
};

/** The numbers of a text: digits, words, ordinals, Roman numerals of two letters and more, with magnitude and unit. */
export const readNumbers = (source: string, words: readonly Word[] = readWords(source)): Quantity[] => {
  const quantities: Quantity[] = [];
  for (let at = 0; at < words.length; ) {
    const read = readDigits(words, at, source) ?? readInWords(words, at);
    if (!read || !Number.isFinite(read.value)) {
      at++;
      continue;
    }
    const { unit, end } = read.unit
      ? { unit: read.unit, end: words[at]?.end ?? 0 }
      : unitAround(words, at, at + read.length, source);
    quantities.push({
      value: read.value,
      halfStep: read.step / 2,
      unit,
      isOrdinal: read.isOrdinal,
      isYear: (read.isPlain || read.isDecade) && unit === null && read.value >= 1000 && read.value <= 2100,
      isDecade: read.isDecade,
      start: words[at]?.start ?? 0,
      end,
    });
    at += read.length;
  }
  return quantities;
};

/** Rounding is granted up to this share of the value; "about 40 %" for 44.7 % is not. */
const MOST_ROUNDING = 0.02;

/**
 * Whether two numbers say the same: equal, or one is the other rounded, after conversion to a common unit. A unit that
 * only one of them has is no difference; years and ordinals are never rounded.
 */
export const isSameNumber = (a: Quantity, b: Quantity): boolean => {
  if (a.unit && b.unit && a.unit.dimension !== b.unit.dimension) return false;
  const isConverted = a.unit !== null && b.unit !== null;
  const [x, y] = isConverted ? [a.value * (a.unit?.factor ?? 1), b.value * (b.unit?.factor ?? 1)] : [a.value, b.value];
  const difference = Math.abs(x - y);
  if (difference <= 1e-9 * Math.max(Math.abs(x), Math.abs(y))) return true;
  if (a.isYear || b.isYear || a.isOrdinal || b.isOrdinal) return false;
  const step = Math.max(
    a.halfStep * (isConverted ? (a.unit?.factor ?? 1) : 1),
    b.halfStep * (isConverted ? (b.unit?.factor ?? 1) : 1),
  );
  const isWhole = Number.isInteger(a.value) && Number.isInteger(b.value) && !isConverted;
  return !isWhole && difference <= step * 1.0001 && difference <= MOST_ROUNDING * Math.max(Math.abs(x), Math.abs(y));
};
