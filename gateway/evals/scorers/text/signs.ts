import type { Word } from "./words";

/* Symbols between words that change the meaning: "x+1" is not "x-1". Punctuation and markup are ignored. */

const SAME_SIGN: Readonly<Record<string, string>> = {
  "−": "-",
  "–": "-",
  "‑": "-",
  "－": "-",
  "＋": "+",
  "＝": "=",
  "＜": "<",
  "＞": ">",
  "×": "*",
  "⋅": "*",
  "·": "*",
  "÷": "/",
  "≤": "<=",
  "⩽": "<=",
  "≥": ">=",
  "⩾": ">=",
  "≠": "!=",
  "⇒": "=>",
  "→": "->",
  "←": "<-",
};
const SIGN = /!==?|[!~]$|={1,3}>?|<=>|<[=-]?|>=?|->|\+\+|--|[-+*/]=|[-+^±]|\*{1,2}|\/{1,2}|&{1,2}|\|\|/g;
/** Optional symbols: "F-16", "F16"; "TCP/IP"; "R & D". */
const SOFT = new Set(["-", "/", "//", "->", "*", "**", "&"]);
const TAG = /<\/?(?:a|b|br|code|div|em|i|li|p|pre|span|strong|sub|sup|td|u|ul)(?:\s[^<>]*)?\/?>/giu;
const ANY_SIGN = /[-+*/=<>^±&|!~⇒−–‑－＋＝＜＞×⋅·÷≤⩽≥⩾≠→←]/;
const NONE: readonly string[] = [];
/** Only this many characters between two words are read. */
const LONGEST_GAP = 40;

/** Whether a word can be an operand of a formula: a letter or a number. */
const isOperand = (word: Word | undefined): boolean =>
  word !== undefined && (word.numeral !== undefined || /^\p{L}\p{Nd}*$/u.test(word.text));

const isEmphasis = (sign: string, gap: string, isSpaced: boolean): boolean =>
  sign.startsWith("*") && !isSpaced && gap.trim() !== gap;

/** Writes typographic symbols in ASCII: "≥" becomes ">=". */
export const typeAscii = (text: string): string =>
  text.replace(/[−–‑－＋＝＜＞×⋅·÷≤⩽≥⩾≠⇒→←]/g, (sign) => SAME_SIGN[sign] ?? sign);

/** The meaningful symbols between two words, without spaces. A word is undefined at either end of the text. */
const signsBetween = (source: string, left: Word | undefined, right: Word | undefined): readonly string[] => {
  const end = right?.start ?? source.length;
  const raw = left ? source.slice(left.end, end).slice(0, LONGEST_GAP) : source.slice(0, end).slice(-LONGEST_GAP);
  if (!ANY_SIGN.test(raw)) return NONE;
  const gap = typeAscii(raw.replace(TAG, " "));
  const isSpaced = /^\s.*\s$/s.test(gap);
  return [...gap.matchAll(SIGN)].flatMap(({ 0: sign, index }) => {
    const behind = gap.slice(index + sign.length);
    const before = gap.slice(0, index);
    const isListMark = /\n\s*$/.test(before) && /^\s/.test(behind);
    if (isListMark || isEmphasis(sign, gap, isSpaced)) return [];
    // A negation before a letter; not an exclamation mark or a tilde for "about".
    if (/^[!~]$/.test(sign))
      return right && /^\p{L}$/u.test(right.text) && /(?:^|[\s(=&|])$/.test(before) ? [sign] : [];
    // Not a dash, a list mark or a quotation mark.
    if (/^--?$/.test(sign)) {
      const isUnary =
        /^[$€£₹¥₩₽]?$/.test(behind) &&
        (isOperand(right) || source.charAt(right?.end ?? -1) === "(") &&
        (left === undefined || /[\s(=<>*/^,$€£₹¥₩₽]$/.test(before)) &&
        !isSpaced;
      if (isUnary) return ["negative"];
      return isOperand(left) && isOperand(right) ? ["-"] : [];
    }
    if (sign === ">" && /(?:^|\n)\s*$/.test(before) && left === undefined && !isOperand(right)) return [];
    // "salt + water" is a list of two things.
    if (sign === "+" && !isOperand(left) && !isOperand(right)) return [];
    return [sign];
  });
};

/** Whether two gaps have the same symbols; an optional one may be missing from either. */
const agree = (a: readonly string[], b: readonly string[]): boolean =>
  a.join(" ") === b.join(" ") ||
  (a.length === 0 && b.every((sign) => SOFT.has(sign))) ||
  (b.length === 0 && a.every((sign) => SOFT.has(sign)));

/** Symbols before or after a formula that extend it. An equals sign or an arrow only introduces it: "2 + 3 = 5". */
const edgeSigns = (
  source: string,
  left: Word | undefined,
  right: Word | undefined,
  isBefore: boolean,
): readonly string[] => {
  const [inner, outer] = isBefore ? [right, left] : [left, right];
  const isCall = isBefore && source.charAt(inner?.end ?? -1) === "(";
  if (!isOperand(inner) && !isCall) return NONE;
  return signsBetween(source, left, right).filter(
    (sign) => !/^={1,3}>?$|->$/.test(sign) && (isOperand(outer) || /^(?:negative|\^|[<>!~±].*)$/.test(sign)),
  );
};

/** A run of words in a text. */
export interface Stretch {
  text: string;
  words: readonly Word[];
  at: number;
  length: number;
}

const innerSigns = ({ text, words, at, length }: Stretch): (readonly string[])[] =>
  Array.from({ length: Math.max(0, length - 1) }, (_, step) =>
    signsBetween(text, words[at + step], words[at + step + 1]),
  );

/** "O(n)" does not match the start of "O(n log n)". */
const isCut = (expected: Stretch, given: Stretch): boolean => {
  if (!/[\p{L}\p{N}]\(/u.test(expected.text)) return false;
  const opens = ({ text, words, at, length }: Stretch) =>
    text.slice(words[at]?.end, words[at + length - 1]?.start).includes("(");
  const closes = ({ text, words, at, length }: Stretch) =>
    /^\s*\)/.test(text.slice(words[at + length - 1]?.end ?? 0).slice(0, LONGEST_GAP));
  return closes(expected) && opens(given) && !closes(given);
};

/** Whether two runs of the same words have the same symbols before, between and after the words. */
export const hasSameSigns = (expected: Stretch, given: Stretch): boolean => {
  const [wanted, actual] = [innerSigns(expected), innerSigns(given)];
  const isSame =
    wanted.length === actual.length
      ? wanted.every((signs, gap) => agree(signs, actual[gap] ?? []))
      : agree(wanted.flat(), actual.flat());
  if (!isSame || isCut(expected, given)) return false;
  return [true, false].every((isBefore) => {
    const [a, b] = [expected, given].map(({ text, words, at, length }) => {
      const edge = isBefore ? at : at + length;
      return edgeSigns(text, words[edge - 1], words[edge], isBefore);
    });
    return (a ?? []).join(" ") === (b ?? []).join(" ");
  });
};

/** Whether the symbols behind a word are the sign or bound of a value: "was -5", "is <42". */
const isOfValue = ({ words, at }: Stretch, step: number): boolean =>
  !isOperand(words[at + step]) && words[at + step + 1]?.numeral !== undefined;

/** Whether the words are a formula or a call, where symbols matter: "x^2 + y^2", "sin(x)". */
export const isFormula = (stretch: Stretch): boolean =>
  /(?<=\p{L})\((?:\p{L}|-?\p{Nd}+)\)|(?<=(?<!\p{L})\p{L})\([^()]{1,30}\)/u.test(stretch.text) ||
  innerSigns(stretch).some((signs, at) => signs.some((sign) => !SOFT.has(sign)) && !isOfValue(stretch, at)) ||
  (stretch.length === 2 &&
    [0, 1].every((step) => /^\p{L}$/u.test(stretch.words[stretch.at + step]?.text ?? "")) &&
    innerSigns(stretch).flat().length > 0);

/** Whether a word is a letter of a formula: "a" of "a < 5", "I" of "I = U / R". */
export const isInFormula = (words: readonly Word[], at: number, text: string): boolean =>
  /^\p{L}$/u.test(words[at]?.text ?? "") &&
  (signsBetween(text, words[at], words[at + 1]).length > 0 ||
    (at > 0 && signsBetween(text, words[at - 1], words[at]).length > 0));
