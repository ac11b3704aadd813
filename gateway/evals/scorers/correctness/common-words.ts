import { ARTICLES, STOP_WORDS, type Word } from "../text/words";
import type { ReadText } from "./answer";
import type { Occurrence } from "./occurrences";
import type { Alias } from "./reference";

/*
 * References that most texts contain by chance: "A", "IT", "The Who". They count when the answer uses them as a label or
 * a name, not when it merely uses the word.
 */

const isLetter = ({ text }: Word): boolean => /^(?=\p{L}$)[\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}]$/u.test(text);

/** Whether an alias consists of stop words or a single letter. */
export const isCommonWord = ({ words, text }: Alias): boolean =>
  words.length > 0 &&
  // "-v", "@a" and the like are recognized by their symbols.
  !/(?<![\p{L}\p{N}])[-−@#$~+^\\/](?=\p{L})/u.test(text) &&
  (words.every(({ norm }) => STOP_WORDS.has(norm) || norm === "not" || norm === "nor") ||
    (words.length === 1 && words.every(isLetter)));

/** Words before a label, and verbs before a name that ends its clause. */
const LABELS = new Set(
  "answer answers option options choice choices grade letter letters type class group category vitamin variant case section plan team key note blood hepatitis".split(
    " ",
  ),
);
const LEADING = new Set(
  "is was are be called named titled by as choose chose pick select with say answer it's its".split(" "),
);
const APPROVED =
  /^\s*['"”’*)]*\s+(?:is|was|would be|seems)\s+(?:the\s+)?(?:\w+ly\s+)?(?:correct|right|true|best|answer|one|correct answer|right answer|best answer)\b/iu;
/** Pronouns before a verb don't give the reference: "It is right." */
const PRONOUNS = new Set("it he she they we you i this that these those there which what who".split(" "));

const isUpper = (text: string): boolean => /\p{L}/u.test(text) && text === text.toUpperCase();

/** Capitals mean nothing in a text that is all capitals. */
const isShouted = ({ text }: ReadText): boolean => !/\p{Ll}/u.test(text);

const CLAUSE_END = /^\s*['"”’*_)\]`]*\s*(?:[.,;:!?。—–(\n]|$|-\s)/u;
const QUOTED = /["“‘'«*_([`]$/u;

/** Whether the words fill their line or sentence, apart from punctuation and an article. */
const isAlone = ({ text, words }: ReadText, at: number, length: number): boolean => {
  const from = length > 0 && ARTICLES.has(words[at - 1]?.norm ?? "") ? at - 1 : at;
  const [before, first, last, behind] = [words[from - 1], words[from], words[at + length - 1], words[at + length]];
  if (!first || !last) return false;
  const lead = text.slice(before?.end ?? 0, first.start);
  const trail = text.slice(last.end, behind?.start ?? text.length);
  const begins = before === undefined || /[\n.!?]/.test(lead) || /:\s*\S{0,2}$/.test(lead);
  return begins && (behind === undefined || /[\n.!?:)\]]|^\s*[-–—(]\s?|^,/.test(trail));
};

const isLedTo = ({ words, text }: ReadText, at: number, length: number): boolean => {
  const [first, last, before] = [words[at], words[at + length - 1], words[at - 1]];
  if (!first || !last || !before) return false;
  if (LABELS.has(before.norm)) return true;
  const article = /^(?:an?|the)$/.test(before.norm) ? words[at - 2] : before;
  return CLAUSE_END.test(text.slice(last.end)) && (LEADING.has(article?.norm ?? "") || article !== before);
};

const isGivenAt = (answer: ReadText, wanted: readonly Word[], at: number): boolean => {
  const { words, text } = answer;
  const length = wanted.length;
  const [first, last] = [words[at], words[at + length - 1]];
  if (!first || !last) return false;
  if (words.length <= length + 1 && isAlone(answer, at, length)) return true;
  // "who" is not "WHO", and "Who" at the beginning of a sentence may be either.
  const isSameCase = wanted.every((word, step) => word.text === words[at + step]?.text);
  if (isAlone(answer, at, length) && (isSameCase || length === 1)) return isSameCase || isLetter(first);
  if (!isSameCase) return false;
  if (!isUpper(first.text) && length === 1 && !/^\p{Lu}/u.test(first.text)) return isLedTo(answer, at, length);
  const isName = length > 1 || (isUpper(first.text) && first.text.length > 1);
  if (isName && !isShouted(answer)) return true;
  const behind = text.slice(last.end);
  const isBracketed = QUOTED.test(text.slice(0, first.start)) && /^["”’'»*_)\]`]/u.test(behind);
  if (isBracketed || isLedTo(answer, at, length)) return true;
  // "R is the language"; in "A is", the A is not an article either.
  if (isLetter(first) && first.norm !== "i" && /^\s+(?:is|was)\b/.test(behind) && !hasOtherLabel(answer, first.text))
    return true;
  return APPROVED.test(behind) && !PRONOUNS.has(first.norm);
};

/** Whether the answer uses another letter as a label. If so, words such as "the answer is" must introduce the letter. */
const hasOtherLabel = ({ words }: ReadText, letter: string): boolean =>
  words.some((word) => isLetter(word) && isUpper(word.text) && word.text !== letter && !STOP_WORDS.has(word.norm));

/** A capital inside a sentence marks a label or a name, whatever surrounds it: "written in C for speed". */
const isCapitalInside = (answer: ReadText, [wanted]: readonly Word[], at: number): boolean => {
  const [before, word] = [answer.words[at - 1], answer.words[at]];
  if (!wanted || !word || !before || word.text !== wanted.text || !/^\p{Lu}/u.test(word.text) || word.norm === "i")
    return false;
  if (isLetter(word) && hasOtherLabel(answer, word.text)) return false;
  const isInside = !/[.!?:\n"“]/.test(answer.text.slice(before.end, word.start));
  return isInside && !isShouted(answer);
};

/** Where the answer gives a reference that is a common word. */
export const findGivenWord = (answer: ReadText, alias: Alias): Occurrence[] => {
  const isLed = alias.words.length > 1 && ARTICLES.has(alias.words[0]?.norm ?? "");
  const wanted = isLed ? alias.words.slice(1) : alias.words;
  return answer.words.flatMap((_, at) => {
    if (!wanted.every(({ norm }, step) => answer.norms[at + step] === norm)) return [];
    // "The Guess Who" is a different band from "The Who".
    if (isLed && answer.words.length > wanted.length && !ARTICLES.has(answer.norms[at - 1] ?? "")) return [];
    const isGiven = isGivenAt(answer, wanted, at) || (wanted.length === 1 && isCapitalInside(answer, wanted, at));
    return isGiven ? [{ at, length: wanted.length }] : [];
  });
};
