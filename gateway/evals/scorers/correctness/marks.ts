import { unitByName } from "../text/units";
import { isStopWord, type Word } from "../text/words";
import type { ReadText } from "./read-text";
import { keyOf } from "./word-forms";

/*
 * Numbers, letters and symbols that distinguish one name from another: "World War I" and "World War II", "Vitamin B12"
 * and "Vitamin B6", "Python 3.10" and "Python 3.1", "Article 5(1)(a)" and "Article 5(1)(b)", "√2" and "2".
 */

/** Symbols with a name. */
export const SYMBOLS: Readonly<Record<string, RegExp>> = {
  "√": /√|\bsqrt\b|\bsquare root\b/iu,
  "!": /(?<=\p{N}|\)|(?<!\p{L})\p{L})!(?!=)|\bfactorial\b/iu,
  "'": /(?<![\p{L}'′])\p{L}['′](?=\()/u,
  "''": /(?<![\p{L}'′])\p{L}(?:['′]{2}|″)(?=\()/u,
};

/** Whether a text contains such a symbol: "√2" and "3!" are more than a number. */
export const hasSymbol = (text: string): boolean => Object.values(SYMBOLS).some((symbol) => symbol.test(text));

/** Whether a single letter is a label: "Vitamin C", "Article 5(a)". An initial, a pronoun or an article is not. */
const isLabel = (words: readonly Word[], at: number, text: string): boolean => {
  const [before, word, next] = [words[at - 1], words[at], words[at + 1]];
  if (!word || !before || !/^\p{L}$/u.test(word.text)) return false;
  const gap = text.slice(before.end, word.start);
  if (/^\)?\s?\($/.test(gap)) return /^(?:\p{Nd}+|\p{L})$/u.test(before.text);
  if (!/^\p{Lu}$/u.test(word.text) || (next && text.charAt(word.end) === ".")) return false;
  return /^[\s-]$/.test(gap) && /^\p{L}{2}/u.test(before.text) && !isStopWord(before);
};

/** The number or letter that a word represents; undefined for an ordinary word. */
export const markOf = (words: readonly Word[], at: number, text: string): string | undefined => {
  const word = words[at];
  if (!word) return undefined;
  const key = keyOf(word);
  const [, suffix = ""] = /^[\d.]+(\D*)$/.exec(key) ?? [];
  if (suffix && unitByName(suffix)) return key.slice(0, -suffix.length);
  const [, digits] = /^\p{L}+(\d+)$/u.exec(key) ?? [];
  return digits ?? (/\p{Nd}/u.test(key) || isLabel(words, at, text) ? key : undefined);
};

/** The marks in a text. "17.2.1" is one mark. */
export const marksOf = (words: readonly Word[], text: string): string[] => {
  const marks: string[] = [];
  let isOpen = false;
  for (const [at, word] of words.entries()) {
    const mark = markOf(words, at, text);
    const isDotted = isOpen && word.numeral !== undefined && text.slice(words[at - 1]?.end, word.start) === ".";
    if (isDotted && mark !== undefined) marks.push(`${marks.pop()}.${mark}`);
    else if (mark !== undefined) marks.push(mark);
    isOpen = word.numeral !== undefined && mark !== undefined;
  }
  return marks;
};

/** The marks, integers, days and years in an answer and its question. */
export const marksGiven = (answer: ReadText, question: ReadText): ReadonlySet<string> => {
  // The "one" in "Which one is it?" is not a number.
  const asked = question.words.filter(({ norm }) => norm !== "one");
  const marks = [...marksOf(answer.words, answer.text), ...marksOf(asked, question.text)];
  const numbers = [...answer.numbers, ...question.numbers].filter(({ value }) => Number.isInteger(value));
  const dates = [...answer.dates, ...question.dates].flatMap(({ year, day }) => [year, day]);
  return new Set([...marks, ...numbers.map(({ value }) => String(value)), ...dates.map(String)]);
};
