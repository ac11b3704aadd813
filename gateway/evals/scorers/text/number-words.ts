import { type Word, wordMap, wordSet } from "./words";

/** Words with their values, which rise by `step`. */
const numbered = (first: number, step: number, words: string): [string, number][] =>
  words.split(" ").map((word, index) => [word, first + step * index]);

const SMALL: ReadonlyMap<string, number> = new Map([
  ...numbered(0, 1, "zero one two three four five six seven eight nine"),
  ...numbered(10, 1, "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"),
  ...numbered(20, 10, "twenty thirty forty fifty sixty seventy eighty ninety"),
]);
/** The value of a number below 20, or of a multiple of ten below 100. */
export const smallNumberOf = (word: string): number | undefined => SMALL.get(word.toLowerCase());

/** The words for the numbers from `least` to `most`, as alternatives of a regular expression. */
export const numbersBetween = (least: number, most: number): string =>
  [...SMALL].flatMap(([word, value]) => (value >= least && value <= most ? [word] : [])).join("|");

const SMALL_ORDINALS: ReadonlyMap<string, number> = new Map([
  ...numbered(0, 1, "zeroth first second third fourth fifth sixth seventh eighth ninth"),
  ...numbered(
    10,
    1,
    "tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth",
  ),
  ...numbered(20, 10, "twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth"),
  ["hundredth", 100],
  ["thousandth", 1000],
  ["millionth", 1e6],
]);

/**
 * Magnitudes in English, including Indian English. After digits also in German, French, Spanish, Italian, Chinese,
 * Japanese and Korean.
 */
const MAGNITUDES = wordMap(
  Object.entries({
    dozen: 12,
    hundred: 100,
    thousand: 1e3,
    "万 萬 만": 1e4,
    "lakh lakhs": 1e5,
    "million millions mn mio millionen millones milioni": 1e6,
    "crore crores": 1e7,
    "億 亿 억": 1e8,
    "billion billions bn mrd milliarde milliarden milliard milliards": 1e9,
    trillion: 1e12,
  }),
);

const ROMAN_VALUES: Readonly<Record<string, number>> = { I: 1, V: 5, X: 10, L: 50, C: 100, D: 500, M: 1000 };
const ROMAN = /^(?=[IVXLCDM]{2,15}$)M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})$/;

/** Roman numerals of two or three letters are usually abbreviations ("CD", "MD") unless they are small numbers. */
const IS_NUMERAL = /^[IVX]+$|^.{4}/;

/** The value of a Roman numeral of at least two capital letters: 14 for "XIV". */
export const romanValue = (text: string): number | undefined => {
  if (!ROMAN.test(text) || !IS_NUMERAL.test(text)) return undefined;
  const values = [...text].map((letter) => ROMAN_VALUES[letter] ?? 0);
  return values.reduce((sum, value, index) => sum + (value < (values[index + 1] ?? 0) ? -value : value), 0);
};

export const magnitudeOf = (norm: string): number | undefined => MAGNITUDES.get(norm);

/** A number in words. */
interface Spelled {
  value: number;
  isOrdinal: boolean;
  /** The number of words read. */
  length: number;
}

/** Reads "two hundred and five", "twenty-first", "three million", starting at the word `from`. */
export const readSpelled = (words: readonly Word[], from: number): Spelled | undefined => {
  let total = 0;
  let group: number | undefined;
  let at = from;
  const result = (isOrdinal: boolean): Spelled => ({ value: total + (group ?? 0), isOrdinal, length: at - from });
  for (; at < words.length; at++) {
    const norm = words[at]?.norm ?? "";
    const ordinal = SMALL_ORDINALS.get(norm);
    if (ordinal !== undefined && fits(group, ordinal)) {
      group = ordinal >= 100 ? (group ?? 1) * ordinal : (group ?? 0) + ordinal;
      at++;
      return result(true);
    }
    const small = SMALL.get(norm);
    const magnitude = MAGNITUDES.get(norm);
    if (small !== undefined && fits(group, small)) group = (group ?? 0) + small;
    else if (magnitude === 100 && group !== undefined) group *= 100;
    else if (magnitude !== undefined && group !== undefined) {
      total += group * magnitude;
      group = undefined;
    } else if (!(norm === "and" && at > from && SMALL.has(words[at + 1]?.norm ?? "") && isRound(total, group))) break;
  }
  return at > from ? result(false) : undefined;
};

/** Denominators in words, singular and plural. */
const PARTS: ReadonlyMap<string, number> = new Map([
  ["half", 2],
  ["quarter", 4],
  ...numbered(3, 1, "third fourth fifth sixth seventh eighth ninth tenth"),
]);
const partsOf = (norm: string): number | undefined => PARTS.get(norm.replace(/^halves$/, "half").replace(/s$/, ""));

/** Reads "a thousand", "a dozen". */
export const readSpelledOne = (words: readonly Word[], at: number): Spelled | undefined => {
  const value = /^an?$/.test(words[at]?.norm ?? "") ? MAGNITUDES.get(words[at + 1]?.norm ?? "") : undefined;
  return value === undefined ? undefined : { value, isOrdinal: false, length: 2 };
};

/** Words after which "half" is not a fraction: "the other half". "a half" and "one half" are read elsewhere. */
const DETERMINERS = wordSet(
  "other last latter former top bottom upper lower each either this that better a an one and",
);

/** Reads "half", "one half", "a quarter", "two thirds", and "and a half" after a number. */
export const readSpelledFraction = (words: readonly Word[], at: number): Spelled | undefined => {
  const [first = "", second = ""] = [words[at]?.norm, words[at + 1]?.norm];
  if (first === "and") {
    const rest = readSpelledFraction(words, at + 1);
    return rest && rest.value < 1 ? { ...rest, length: rest.length + 1 } : undefined;
  }
  if (
    first === "half" &&
    !(partsOf(second) ?? SMALL_ORDINALS.get(words[at - 1]?.norm ?? "")) &&
    !DETERMINERS.has(words[at - 1]?.norm ?? "")
  )
    return { value: 0.5, isOrdinal: false, length: 1 };
  const parts = partsOf(second);
  // Without "of", "a third" usually means one more after the second. "a third of them" and a bare "a third" are
  // fractions.
  const isShare = parts === 2 || parts === 4 || words[at + 2]?.norm === "of" || words.length === 2;
  const over = first === "a" && isShare ? 1 : SMALL.get(first);
  if (parts === undefined || over === undefined || over === 0 || over >= 20) return undefined;
  const isPlural = /s$/.test(second);
  return isPlural || over === 1 ? { value: over / parts, isOrdinal: false, length: 2 } : undefined;
};

/** Reads a year in two halves: "nineteen sixty-nine", "twenty twenty". */
export const readSpelledYear = (words: readonly Word[], at: number): Spelled | undefined => {
  const century = SMALL.get(words[at]?.norm ?? "") ?? 0;
  const tens = SMALL.get(words[at + 1]?.norm ?? "") ?? 0;
  if (century < 13 || century > 20 || tens < 10) return undefined;
  const ones = SMALL.get(words[at + 2]?.norm ?? "") ?? 0;
  const hasOnes = tens >= 20 && ones > 0 && ones < 10;
  return { value: 100 * century + tens + (hasOnes ? ones : 0), isOrdinal: false, length: hasOnes ? 3 : 2 };
};

/**
 * Whether a value can continue a group: "one" can follow "twenty", but nothing can follow "one". "nineteen eighty" is a
 * year or two numbers.
 */
const fits = (group: number | undefined, value: number): boolean =>
  group === undefined ||
  (value < 10 ? value > 0 && group % 10 === 0 && group % 100 !== 10 && group > 0 : group % 100 === 0 && group > 0);

/** Whether "and" can continue a number, as it can after hundreds and thousands. "two and three" are two numbers. */
const isRound = (total: number, group: number | undefined): boolean =>
  group === undefined ? total > 0 : group >= 100 && group % 100 === 0;
