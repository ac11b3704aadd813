import {
  type Bound,
  boundOf,
  CURRENCY,
  type Era,
  eraOf,
  isNegative,
  isSameBound,
  isVersionAt,
  unitAround,
} from "./number-surroundings";
import {
  magnitudeOf,
  readSpelled,
  readSpelledFraction,
  readSpelledOne,
  readSpelledYear,
  romanValue,
} from "./number-words";
import { isMoney, isSameDimension, relationOf, type Unit, unitByText } from "./units";
import { readWords, type Word, wordSet } from "./words";

/** A number found in a text. */
export interface Quantity {
  /** The value in the unit as written, including sign and magnitude words: -2500000 for "-2.5 million". */
  value: number;
  /** The value if a full stop separates thousands: 1234 for "1.234"; null if the number is unambiguous. */
  otherValue: number | null;
  /** Half a unit of the last written digit: 50000 for "2.5 million", which means 2450000…2550000. */
  halfStep: number;
  unit: Unit | null;
  bound: Bound | null;
  /** The era of a year: "44 BC", "AD 44". */
  era: Era;
  isOrdinal: boolean;
  /** The number is a bare integer from 1000 to 2100, or has an era. */
  isYear: boolean;
  /** The number is a decade: "1990s". */
  isDecade: boolean;
  /** The digits are not a decimal number: "Python 3.10", "section 4.10". */
  isVersion: boolean;
  /** UTF-16 offsets, without the sign before the number but with the unit after it. */
  start: number;
  end: number;
}

const ORDINAL_ENDINGS = new Set(["st", "nd", "rd", "th"]);
const SHORT_MAGNITUDES: Readonly<Record<string, number>> = { k: 1e3, m: 1e6, bn: 1e9, b: 1e9 };

interface Read {
  value: number;
  otherValue: number | null;
  step: number;
  isOrdinal: boolean;
  isDecade: boolean;
  isPlain: boolean;
  unit: Unit | null;
  length: number;
}

const readDigits = (words: readonly Word[], at: number, source: string): Read | undefined => {
  const word = words[at];
  // "√2" is not the number 2.
  if (!word?.numeral || /(?:√|sqrt[({]?)\s?$/iu.test(source.slice(Math.max(0, word.start - 6), word.start)))
    return undefined;
  const { value, otherValue, step, suffix, isPlain } = word.numeral;
  const isAmount = CURRENCY.includes(source.charAt(word.start - 1) || " ");
  // "5m" is five metres, but "€5m" and "5M" are millions.
  const short = suffix === "m" && !isAmount && !word.text.endsWith("M") ? undefined : SHORT_MAGNITUDES[suffix];
  const named = suffix === "" ? magnitudeOf(words[at + 1]?.norm ?? "") : undefined;
  // "1990s" and "80s" are decades, but "5s" and "2.5s" are seconds.
  const isDecade = suffix === "s" && value >= 20 && value % 10 === 0;
  const unit = short === undefined && !isDecade ? (unitByText(word.text.slice(-suffix.length), suffix) ?? null) : null;
  if (suffix !== "" && !short && !unit && !ORDINAL_ENDINGS.has(suffix) && !isDecade) return undefined;
  const magnitude = short ?? named ?? 1;
  return {
    value: value * magnitude,
    otherValue: otherValue === null ? null : otherValue * magnitude,
    step: step * magnitude,
    isOrdinal: ORDINAL_ENDINGS.has(suffix),
    isDecade,
    isPlain: isPlain && magnitude === 1,
    unit,
    length: named === undefined ? 1 : 2,
  };
};

/** Words after which "one" is not a number: "which one". */
const DETERMINERS = wordSet("which this that each every any no another");

const readInWords = (words: readonly Word[], at: number): Read | undefined => {
  const year = readSpelledYear(words, at);
  const spelled = year ?? readSpelledFraction(words, at) ?? readSpelledOne(words, at) ?? readSpelled(words, at);
  if (spelled?.length === 1 && spelled.value === 1 && DETERMINERS.has(words[at - 1]?.norm ?? "")) return undefined;
  const roman = spelled ? undefined : romanValue(words[at]?.text ?? "");
  if (!spelled && roman === undefined) return undefined;
  return {
    value: spelled?.value ?? roman ?? 0,
    otherValue: null,
    step: Number.isInteger(spelled?.value ?? 0) ? 1 : 0,
    isOrdinal: spelled?.isOrdinal ?? true,
    isDecade: false,
    isPlain: year !== undefined,
    unit: null,
    length: spelled?.length ?? 1,
  };
};

/** Adds a fraction that follows a number: "three and a half", "2 and a half million". */
const withFraction = (read: Read, words: readonly Word[], at: number): Read => {
  // "half a million", "half an hour", "a quarter of an hour"
  const article = at + read.length + (words[at + read.length]?.norm === "of" ? 1 : 0);
  if (read.value < 1 && read.step === 0 && /^an?$/.test(words[article]?.norm ?? "")) {
    const times = magnitudeOf(words[article + 1]?.norm ?? "");
    return { ...read, value: read.value * (times ?? 1), length: article - at + (times === undefined ? 1 : 2) };
  }
  const part = words[at + read.length]?.norm === "and" ? readSpelledFraction(words, at + read.length) : undefined;
  if (!part || read.isOrdinal || !Number.isInteger(read.value)) return read;
  const magnitude = magnitudeOf(words[at + read.length + part.length]?.norm ?? "");
  // "a million and a half"
  const whole = magnitudeOf(words[at + read.length - 1]?.norm ?? "");
  if (whole !== undefined && magnitude === undefined)
    return {
      ...read,
      value: read.value + part.value * whole,
      step: 0,
      isPlain: false,
      length: read.length + part.length,
    };
  return {
    ...read,
    value: (read.value + part.value) * (magnitude ?? 1),
    step: 0,
    isPlain: false,
    length: read.length + part.length + (magnitude === undefined ? 0 : 1),
  };
};

/**
 * The numbers in a text: digits, words, ordinals and Roman numerals of at least two letters, with sign, magnitude and
 * unit.
 */
export const readNumbers = (source: string, words: readonly Word[] = readWords(source)): Quantity[] => {
  const quantities: Quantity[] = [];
  for (let at = 0; at < words.length; ) {
    const found = readDigits(words, at, source) ?? readInWords(words, at);
    if (!found || !Number.isFinite(found.value)) {
      at++;
      continue;
    }
    const read = withFraction(found, words, at);
    const start = words[at]?.start ?? 0;
    const around = read.unit
      ? { unit: read.unit, end: words[at]?.end ?? 0 }
      : unitAround(words, at, at + read.length, source);
    const { era, end } = eraOf(source, start, around.end);
    const factor = isNegative(words, at, end, source) ? -1 : 1;
    const bound = boundOf(source, start, end);
    // Where the euro sign follows the number, a full stop separates thousands: "1.000 €".
    const isContinental =
      read.otherValue !== null && /€\s*$/.test(source.slice(start, around.end)) && read.otherValue > read.value;
    const [value, otherValue] = isContinental ? [read.otherValue ?? 0, read.value] : [read.value, read.otherValue];
    const isBare = around.unit === null && factor > 0 && !(bound && !bound.isSpelled);
    quantities.push({
      value: factor * value,
      otherValue: otherValue === null ? null : factor * otherValue,
      halfStep: read.step / 2,
      unit: around.unit,
      bound,
      era,
      isOrdinal: read.isOrdinal,
      isYear: (read.isPlain || read.isDecade) && isBare && ((read.value >= 1000 && read.value <= 2100) || era !== null),
      isDecade: read.isDecade,
      isVersion: isBare && read.step < 1 && isVersionAt(words, at, source),
      start,
      end,
    });
    at += read.length;
  }
  return joinParts(quantities, source);
};

/** Dimensions in which a larger and a smaller unit may form one amount. */
const COMPOUND = new Set(["time", "years", "length", "mass"]);

/** Joins the parts of an amount, in the larger unit: "1 hour 30 minutes", "5 feet and 10 inches". */
const joinParts = (quantities: readonly Quantity[], source: string): Quantity[] => {
  const joined: Quantity[] = [];
  for (const part of quantities) {
    const last = joined.at(-1);
    if (last && isShareOf(last, part, source)) {
      joined[joined.length - 1] = {
        ...last,
        value: last.value / part.value,
        halfStep: 0,
        isYear: false,
        end: part.end,
      };
      continue;
    }
    if (!last?.unit || !part.unit || !isPartOf(last, part, source)) {
      joined.push(part);
      continue;
    }
    const ratio = part.unit.factor / last.unit.factor;
    const value = last.value + Math.sign(last.value) * part.value * ratio;
    joined[joined.length - 1] = { ...last, value, otherValue: null, halfStep: part.halfStep * ratio, end: part.end };
  }
  return joined;
};

/** Whether two numbers are a proportion: "one in five", "2 out of 3 people". "finished 2 in 10 races" is not one. */
const isShareOf = (part: Quantity, whole: Quantity, source: string): boolean =>
  /^\s(?:in|out of)\s$/.test(source.slice(part.end, whole.start)) &&
  /^\s?(?:$|[.;,)]|(?:of|people)\b)/u.test(source.slice(whole.end, whole.end + 12)) &&
  [part, whole].every(({ value, unit, isOrdinal }) => Number.isInteger(value) && !unit && !isOrdinal) &&
  part.value > 0 &&
  part.value < whole.value &&
  whole.value <= 1000;

const isPartOf = (whole: Quantity, part: Quantity, source: string): boolean =>
  whole.unit?.dimension === part.unit?.dimension &&
  COMPOUND.has(part.unit?.dimension ?? "") &&
  Number.isInteger(whole.value) &&
  part.value > 0 &&
  part.bound === null &&
  part.value * (part.unit?.factor ?? 0) < (whole.unit?.factor ?? 0) &&
  /^\s(?:and\s)?$/.test(source.slice(whole.end, part.start).slice(0, 6));

/** Maximum change of a value by rounding, as a fraction. "about 40 %" does not match 44.7 %. */
const MAX_ROUNDING = 0.02;

/** Factors that convert both values to one unit. "£5" and "5 pounds" already share one, apart from a period. */
const factorsOf = (a: Unit | null, b: Unit | null): [number, number] => {
  if (!a || !b) return [1, 1];
  const areMoney = a.dimension !== b.dimension && isMoney(a) && isMoney(b);
  return areMoney ? [1 / (a.per?.factor ?? 1), 1 / (b.per?.factor ?? 1)] : [a.factor, b.factor];
};

interface Comparison {
  x: number;
  y: number;
  /** The rounding error of the less precise value. */
  step: number;
}

/** Ways to compare two values: in a common unit, with either meaning of a full stop, and with 50 % as 0.5. */
const comparisons = (a: Quantity, b: Quantity): Comparison[] => {
  const scaled = ({ value, otherValue, halfStep }: Quantity, factor: number) => [
    { value: value * factor, step: halfStep * factor },
    ...(otherValue === null ? [] : [{ value: otherValue * factor, step: 0.5 * factor }]),
  ];
  const pairs = (ofA: number, ofB: number): Comparison[] =>
    scaled(a, ofA).flatMap((x) =>
      scaled(b, ofB).map((y) => ({ x: x.value, y: y.value, step: Math.max(x.step, y.step) })),
    );
  const share = ({ unit }: Quantity): number | undefined =>
    unit?.dimension === "percent" ? unit.factor / 100 : undefined;
  const [ofA, ofB] = [b.unit ? undefined : share(a), a.unit ? undefined : share(b)];
  return [
    ...pairs(...factorsOf(a.unit, b.unit)),
    ...(ofA === undefined ? [] : pairs(ofA, 1)),
    ...(ofB === undefined ? [] : pairs(1, ofB)),
  ];
};

/**
 * Whether two numbers are equal after conversion to a common unit, or one is the other rounded. A unit that only one of
 * them has is ignored; sign, bound and era must match. Years, ordinals and versions are never rounded.
 */
export const isSameNumber = (a: Quantity, b: Quantity): boolean => {
  if (a.unit && b.unit && (!isSameDimension(a.unit, b.unit) || a.isOrdinal !== b.isOrdinal)) return false;
  if ((a.era === "bc") !== (b.era === "bc") || !isSameBound(a.bound, b.bound)) return false;
  if ((a.isVersion || b.isVersion) && a.halfStep !== b.halfStep) return false;
  const mayRound = !(a.isYear || b.isYear || a.isOrdinal || b.isOrdinal);
  const areWhole = Number.isInteger(a.value) && Number.isInteger(b.value) && !(a.unit && b.unit);
  return comparisons(a, b).some(({ x, y, step }) => {
    const [difference, size] = [Math.abs(x - y), Math.max(Math.abs(x), Math.abs(y))];
    if (difference <= 1e-9 * size) return true;
    return mayRound && !areWhole && difference <= step * 1.0001 && difference <= MAX_ROUNDING * size;
  });
};

/** Whether two numbers differ only in sign, bound, era, or a unit of the same kind. */
export const isAltered = (a: Quantity, b: Quantity): boolean => {
  const isOtherUnit = relationOf(a.unit, b.unit) === "rival";
  const plain = (quantity: Quantity): Quantity => ({
    ...quantity,
    value: Math.abs(quantity.value),
    otherValue: null,
    bound: null,
    era: null,
    unit: isOtherUnit ? null : quantity.unit,
  });
  const isTurned = a.value * b.value < 0 || (a.era === "bc") !== (b.era === "bc") || isOtherUnit;
  const isBounded = a.bound !== null && b.bound !== null;
  return (isTurned || isBounded) && !isSameNumber(a, b) && isSameNumber(plain(a), plain(b));
};
