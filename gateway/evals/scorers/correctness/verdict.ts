import { isDenial } from "../text/negation";
import { bareAnswerOf, NO, YES } from "../text/refusal";
import { type Word, wordSet } from "../text/words";
import type { Alias } from "./aliases";
import type { ReadText } from "./read-text";
import { compareWithQuestion } from "./reversal";

/* References that are a bare yes or no, and what an answer says to a yes-or-no question. */

/** As a reference, "Right" or "Negative" usually means a direction or a sign, not a verdict. */
const AMBIGUOUS = new Set(["right", "wrong", "affirmative", "negative", "da", "net", "nie", "si", "tak"]);

const verdictIn = (word: string): boolean | undefined => (YES.has(word) ? true : NO.has(word) ? false : undefined);

/**
 * True if an alias is a bare yes, false if it is a bare no, otherwise undefined. If the answer is only a yes or no, an
 * alias may start with one: "Yes, in Salzburg".
 */
export const bareVerdictOf = ({ text }: Alias, answer: ReadText): boolean | undefined => {
  const whole = text.toLowerCase().replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{M}\p{N}]+$/gu, "");
  const word = bareAnswerOf(answer.text) ? whole.replace(/,.*$/su, "") : whole;
  return AMBIGUOUS.has(word) ? undefined : verdictIn(word);
};

/** Words before a verdict that is not at the start of a clause: "the answer is no", "I would say yes". */
const LEADING = wordSet("is was be answer say says as believe think's it's that's");
/** Verdicts that may end any clause: "It returns True." */
const ALONE = new Set(["yes", "true", "false"]);
/** Words that may follow a "no" or "yes" without a comma. Before other words, "no" is a determiner: "no problem". */
const FOLLOWING = wordSet("it he she they there this that the i we you because since as they're it's isnt");
/** Number of words, at the start and at the end of an answer, that are searched for a verdict. */
const OPENING_WORDS = 30;
const CLOSING_WORDS = 10;

/** Whether the verdict word at `at` is a separate clause, starts the sentence, or is introduced. */
const isGiven = ({ words, text }: ReadText, at: number): boolean => {
  const [before, word, next] = [words[at - 1], words[at], words[at + 1]];
  if (!word) return false;
  const gap = text.slice(word.end, next?.start ?? text.length);
  const isOpening = !before || /[.!?:;,\n*"“(—–>]/.test(text.slice(before.end, word.start));
  const isClosed = !next || /[^\s\p{L}\p{N}'’-]/u.test(gap);
  // "No. 5" is a number.
  if (/^no$/i.test(word.text) && before && next?.numeral && /^\.\s$/.test(gap)) return false;
  const isLed = LEADING.has(before?.norm ?? "") || (before !== undefined && isDenial(before));
  if (isClosed) return isOpening || isLed || ALONE.has(word.norm);
  return (isOpening || LEADING.has(before?.norm ?? "")) && FOLLOWING.has(next.norm);
};

/** Whether the opposite verdict follows: "Yes and no", "true or false". */
const isBoth = (words: readonly Word[], at: number, verdict: boolean): boolean =>
  /^(?:and|or)$/.test(words[at + 1]?.norm ?? "") && verdictIn(words[at + 2]?.text.toLowerCase() ?? "") === !verdict;

/** An answer's verdict on a yes-or-no question: in a word, or by repeating the question; undefined if it gives neither. */
export const verdictOf = (answer: ReadText, question: ReadText): boolean | undefined => {
  const { words, text } = answer;
  const stance = bareAnswerOf(text);
  if (stance) return stance === "abstains" ? undefined : stance === "yes";
  if (/^\W*[tfyn]\W*$/i.test(text)) return /[ty]/i.test(text);
  if (/^\W*not\b(?!\s(?:only|just|merely|necessarily)\b)/i.test(text))
    return compareWithQuestion(answer, question) ?? false;
  for (const [at, word] of words.entries()) {
    if (at >= OPENING_WORDS && at < words.length - CLOSING_WORDS) continue;
    const verdict = verdictIn(word.text.toLowerCase());
    if (verdict === undefined) continue;
    if (isBoth(words, at, verdict)) return undefined;
    const before = words[at - 1];
    if (isGiven(answer, at)) return before && isDenial(before) && !NO.has(before.norm) ? !verdict : verdict;
  }
  return compareWithQuestion(answer, question);
};
