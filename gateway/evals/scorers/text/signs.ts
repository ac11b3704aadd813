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
/** Symbols that may be missing: "F-16" and "F16", "TCP/IP", "R & D". */
const SOFT = new Set(["-", "/", "//", "->", "*", "**", "&"]);
const TAG = /<\/?(?:a|b|br|code|div|em|i|li|p|pre|span|strong|sub|sup|td|u|ul)(?:\s[^<>]*)?\/?>/giu;
const ANY_SIGN = /[-+*/=<>^±&|!~⇒−–‑－＋＝＜＞×⋅·÷≤⩽≥⩾≠→←]/;
const NONE: readonly string[] = [];
/** Maximum number of characters read between two words. */
const MAX_GAP_LENGTH = 40;

/** Whether a word can be an operand of a formula: a letter or a number. */
const isOperand = (word: Word | undefined): boolean =>
  word !== undefined && (word.numeral !== undefined || /^\p{L}\p{Nd}*$/u.test(word.text));

const isEmphasis = (sign: string, gap: string, isSpaced: boolean): boolean =>
  sign.startsWith("*") && !isSpaced && gap.trim() !== gap;

/** Replaces typographic symbols with ASCII: ">=" for "≥". */
export const typeAscii = (text: string): string =>
  text.replace(/[−–‑－＋＝＜＞×⋅·÷≤⩽≥⩾≠⇒→←]/g, (sign) => SAME_SIGN[sign] ?? sign);

/** The meaningful symbols between two words, without spaces. At either end of the text, a word is undefined. */
const signsBetween = (source: string, left: Word | undefined, right: Word | undefined): readonly string[] => {
  const end = right?.start ?? source.length;
  const raw = left ? source.slice(left.end, end).slice(0, MAX_GAP_LENGTH) : source.slice(0, end).slice(-MAX_GAP_LENGTH);
  if (!ANY_SIGN.test(raw)) return NONE;
  const gap = typeAscii(raw.replace(TAG, " "));
  const isSpaced = /^\s.*\s$/s.test(gap);
  return [...gap.matchAll(SIGN)].flatMap(({ 0: sign, index }) => {
    const behind = gap.slice(index + sign.length);
    const before = gap.slice(0, index);
    const isListMark = /\n\s*$/.test(before) && /^\s/.test(behind);
    if (isListMark || isEmphasis(sign, gap, isSpaced)) return [];
    // A negation before a letter, not an exclamation mark or a tilde that means "about".
    if (/^[!~]$/.test(sign))
      return right && /^\p{L}$/u.test(right.text) && /(?:^|[\s(=&|])$/.test(before) ? [sign] : [];
    // A minus sign, not a dash, a list mark or a quotation mark.
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
    // "salt + water" lists two things.
    if (sign === "+" && !isOperand(left) && !isOperand(right)) return [];
    return [sign];
  });
};

/** Whether two gaps contain the same symbols. An optional symbol may be missing from either. */
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

/** A sequence of words in a text. */
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

/**
 * Whether the given words end inside brackets that the expected words close: "O(n)" does not match the start of "O(n
 * log n)".
 */
const isCut = (expected: Stretch, given: Stretch): boolean => {
  if (!/[\p{L}\p{N}]\(/u.test(expected.text)) return false;
  const opens = ({ text, words, at, length }: Stretch) =>
    text.slice(words[at]?.end, words[at + length - 1]?.start).includes("(");
  const closes = ({ text, words, at, length }: Stretch) =>
    /^\s*\)/.test(text.slice(words[at + length - 1]?.end ?? 0).slice(0, MAX_GAP_LENGTH));
  return closes(expected) && opens(given) && !closes(given);
};

/** Whether the same words have the same symbols before, between and after them in both texts. */
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

/** Whether the symbols after a word are the sign or bound of a value: "was -5", "is <42". */
const isOfValue = ({ words, at }: Stretch, step: number): boolean =>
  !isOperand(words[at + step]) && words[at + step + 1]?.numeral !== undefined;

/** Whether the words are a formula or a call, in which symbols matter: "x^2 + y^2", "sin(x)". */
export const isFormula = (stretch: Stretch): boolean =>
  /(?<=\p{L})\((?:\p{L}|-?\p{Nd}+)\)|(?<=(?<!\p{L})\p{L})\([^()]{1,30}\)/u.test(stretch.text) ||
  innerSigns(stretch).some((signs, at) => signs.some((sign) => !SOFT.has(sign)) && !isOfValue(stretch, at)) ||
  (stretch.length === 2 &&
    [0, 1].every((step) => /^\p{L}$/u.test(stretch.words[stretch.at + step]?.text ?? "")) &&
    innerSigns(stretch).flat().length > 0);

/** Whether a word is a letter in a formula: "a" in "a < 5", "I" in "I = U / R". */
export const isInFormula = (words: readonly Word[], at: number, text: string): boolean =>
  /^\p{L}$/u.test(words[at]?.text ?? "") &&
  (signsBetween(text, words[at], words[at + 1]).length > 0 ||
    (at > 0 && signsBetween(text, words[at - 1], words[at]).length > 0));
