import { indexOfRun } from "../text/overlap";
import { hasKoreanEnding } from "../text/stem";
import { ARTICLES, isSpaceless, STOP_WORDS, type Word, wordSet } from "../text/words";
import type { Alias } from "./aliases";
import { joined, type Occurrence, type ReadText } from "./read-text";
import { acronymPlace, familyOf, keyOf, likeness } from "./word-forms";

/** Maximum number of occurrences read per alias. */
const MAX_OCCURRENCES = 50;

/** Where the alias occurs word for word, in the form in which words are compared. */
export const runs = ({ keys, joinedKeys }: ReadText, { words }: Alias): Occurrence[] => {
  const part = words.map(keyOf);
  // A native string search quickly rules out an alias with a missing part.
  if (!joinedKeys.includes(joined(part))) return [];
  const found: Occurrence[] = [];
  for (let at = indexOfRun(keys, part); at >= 0 && found.length < MAX_OCCURRENCES; ) {
    found.push({ at, length: part.length });
    at = indexOfRun(keys, part, at + part.length);
  }
  return found;
};

/**
 * Minimum length of an alias that is searched for without spaces, and of an alias of several words that may start
 * inside a word.
 */
const MIN_SQUEEZED_LENGTH = 5;
const MIN_INSIDE_LENGTH = 8;

/** Where the alias occurs with different spaces: "Pac Man" for "Pacman". */
export const squeezedRuns = ({ squeezed, wordAt, squeezedAt }: ReadText, alias: Alias): Occurrence[] => {
  // "F16" for "F-16".
  const isCode = /\p{N}/u.test(alias.squeezed) && /\p{L}/u.test(alias.squeezed);
  if (alias.squeezed.length < MIN_SQUEEZED_LENGTH && !isCode) return [];
  const found: Occurrence[] = [];
  let from = 0;
  while (found.length < MAX_OCCURRENCES) {
    const start = squeezed.indexOf(alias.squeezed, from);
    if (start < 0) break;
    const last = start + alias.squeezed.length - 1;
    const [at, end] = [wordAt[start] ?? 0, wordAt[last] ?? 0];
    const before = squeezed.slice(squeezedAt[at], start);
    const rest = squeezed.slice(last + 1, squeezedAt[end + 1]);
    const isLong = alias.words.length > 1 && alias.squeezed.length >= MIN_INSIDE_LENGTH;
    const isWhole = before === "" && rest === "";
    // "Objective-C++" is not "Objective-C".
    if (/^[+#]/.test(rest)) break;
    if (isWhole || (!isCode && isLong)) found.push({ at, length: end - at + 1 });
    from = last + 1;
  }
  return found;
};

/**
 * Maximum number of words in the alias, and of words between two of them: "Thomas Alva Edison", "the sinoatrial (SA)
 * node".
 */
const MAX_SPREAD = 8;
const MAX_WORDS_BETWEEN = 2;
/** Weight of a word that differs only in spelling. */
const SPELLED_OTHERWISE = 0.9;

/** Maximum number of words of an answer that are tried as the start of such a run. */
const MAX_STARTS = 3000;
/** Minimum length of a single word that may be misspelled: "Potter" and "Porter" are different names. */
const MIN_ALONE_LENGTH = 7;

interface Wanted {
  norm: string;
  key: string;
  family: number | undefined;
}

const isTooShort = ([first, ...others]: readonly Wanted[]): boolean =>
  others.length === 0 && first?.family === undefined && (first?.norm.length ?? 0) < MIN_ALONE_LENGTH;

const contentKeys = (words: readonly Word[]): string[] => words.filter(({ norm }) => !STOP_WORDS.has(norm)).map(keyOf);

/** Where the alias occurs in order with a few words in between, or in a different spelling. */
const spreadRuns = (answer: ReadText, { words }: Alias): Occurrence[] => {
  const wanted = words
    .filter(({ norm }) => !STOP_WORDS.has(norm))
    .map((word): Wanted => ({ norm: word.norm, key: keyOf(word), family: familyOf(word.norm) }));
  if (wanted.length === 0 || wanted.length > MAX_SPREAD || isTooShort(wanted) || words.every(isSpaceless)) return [];
  for (let at = 0; at < Math.min(answer.words.length, MAX_STARTS); at++) {
    const end = spreadEnd(answer, wanted, at);
    if (end > 0) return [{ at, length: end - at }];
  }
  return [];
};

/** Whether a word names a country or its people. "us" does not, and neither does the last word of "South America". */
export const isOfFamily = (words: readonly Word[], at: number, family: number): boolean => {
  const [before, word] = [words[at - 1], words[at]];
  const isPart = /^(?:north|south|latin|central)$/.test(before?.norm ?? "") && word?.norm.startsWith("america");
  return word !== undefined && word.text !== "us" && familyOf(word.norm) === family && !isPart;
};

const isAlike = ({ words, norms, keys }: ReadText, at: number, wanted: Wanted): boolean => {
  if (keys[at] === wanted.key) return true;
  const norm = norms[at];
  if (wanted.family !== undefined && isOfFamily(words, at, wanted.family)) return true;
  return norm !== undefined && norm[0] === wanted.norm[0] && likeness(norm, wanted.norm) >= SPELLED_OTHERWISE;
};

/** Where the run that starts at `at` ends; 0 if no run starts there. */
const spreadEnd = (answer: ReadText, wanted: readonly Wanted[], at: number): number => {
  let place = at;
  for (const [index, word] of wanted.entries()) {
    const last = index === 0 ? place : place + MAX_WORDS_BETWEEN;
    while (place <= last && !isAlike(answer, place, word)) place++;
    if (place > last) return 0;
    place++;
  }
  return place;
};

/**
 * Where a name with a number occurs in a different word order: "Second World War" for "World War II", "2023 Q4" for "Q4
 * 2023".
 */
const anyOrder = ({ keys, norms }: ReadText, { words }: Alias): Occurrence[] => {
  const sorted = contentKeys(words).toSorted();
  const [wanted, size] = [sorted.join(" "), sorted.length];
  if (size > MAX_SPREAD || !/\d/.test(wanted) || !/\p{L}/u.test(wanted)) return [];
  const places = keys.flatMap((_, at) => (STOP_WORDS.has(norms[at] ?? "") ? [] : [at]));
  const start = places.findIndex((_, index) => {
    const run = places.slice(index, index + size).map((place) => keys[place]);
    return run.toSorted().join(" ") === wanted;
  });
  const [at = -1, end = -1] = [places[start], places[start + size - 1]];
  return start < 0 ? [] : [{ at, length: end - at + 1 }];
};

/** Where the words of the alias occur, the last one with a Korean particle: "파리입니다". */
const runsWithParticle = ({ norms }: ReadText, { words }: Alias): Occurrence[] => {
  const last = words.at(-1)?.norm ?? "";
  if (!/\p{sc=Hangul}$/u.test(last)) return [];
  return norms.flatMap((norm, end) => {
    const at = end - words.length + 1;
    const isRun =
      hasKoreanEnding(last, norm) && words.slice(0, -1).every((word, step) => word.norm === norms[at + step]);
    return isRun ? [{ at, length: words.length }] : [];
  });
};

const waysOf: readonly ((answer: ReadText, alias: Alias) => Occurrence[])[] = [
  runs,
  anyOrder,
  runsWithParticle,
  squeezedRuns,
  ({ words }, alias) => {
    const acronym = acronymPlace(words, alias.words);
    return acronym ? [acronym] : [];
  },
  spreadRuns,
];

/**
 * Where the answer states the alias: word for word, with different spaces, by its initials, with a few words in
 * between, or in a slightly different spelling. The first of these that matches is used.
 */
export const occurrencesOf = (answer: ReadText, alias: Alias): Occurrence[] => {
  for (const way of waysOf) {
    const found = way(answer, alias);
    if (found.length > 0) return found;
  }
  return [];
};

/*
 * References that most texts contain by chance: "A", "IT", "The Who". They count when the answer uses them as a label or
 * a name, not when it merely uses the word.
 */

const isLetter = ({ text }: Word): boolean => /^(?=\p{L}$)[\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}]$/u.test(text);

/** Whether an alias consists of stop words or a single letter. */
export const isCommonWord = ({ words, text }: Alias): boolean =>
  words.length > 0 &&
  // "-v", "@a" and the like are recognised by their symbols.
  !/(?<![\p{L}\p{N}])[-−@#$~+^\\/](?=\p{L})/u.test(text) &&
  (words.every(({ norm }) => STOP_WORDS.has(norm) || norm === "not" || norm === "nor") ||
    (words.length === 1 && words.every(isLetter)));

/** Words before a label, and verbs before a name that ends its clause. */
const LABELS = wordSet(
  "answer answers option options choice choices grade letter letters type class group category vitamin variant case section plan team key note blood hepatitis",
);
const LEADING = wordSet("is was are be called named titled by as choose chose pick select with say answer it's its");
const isUpper = (text: string): boolean => /\p{L}/u.test(text) && text === text.toUpperCase();

/** A text, with what checking a common word needs to know about it. */
interface LabelledText extends ReadText {
  /**
   * Capital letters that the text may use as labels. If there are several, words such as "the answer is" must introduce
   * one.
   */
  labels: ReadonlySet<string>;
  /** Whether the text is all capitals, so that capitals don't mark names. */
  isShouted: boolean;
}

const withLabels = (read: ReadText): LabelledText => {
  const labels = read.words.filter((word) => isLetter(word) && isUpper(word.text) && !STOP_WORDS.has(word.norm));
  return { ...read, labels: new Set(labels.map(({ text }) => text)), isShouted: !/\p{Ll}/u.test(read.text) };
};

/** Whether the text uses another letter as a label. */
const hasOtherLabel = ({ labels }: LabelledText, letter: string): boolean => labels.size > Number(labels.has(letter));

const CLAUSE_END = /^\s*['"”’*_)\]`]*\s*(?:[.,;:!?。—–(\n]|$|-\s)/u;
const QUOTED = /["“‘'«*_([`]/u;

/** Whether the words are a whole line or sentence, apart from punctuation and an article. */
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

const isGivenAt = (answer: LabelledText, wanted: readonly Word[], at: number): boolean => {
  const { words, text } = answer;
  const length = wanted.length;
  const [first, last] = [words[at], words[at + length - 1]];
  if (!first || !last) return false;
  if (words.length <= length + 1 && isAlone(answer, at, length)) return true;
  // "who" is not "WHO". "Who" at the start of a sentence may be either.
  const isSameCase = wanted.every((word, step) => word.text === words[at + step]?.text);
  if (isAlone(answer, at, length) && (isSameCase || length === 1)) return isSameCase || isLetter(first);
  if (!isSameCase) return false;
  if (!isUpper(first.text) && length === 1 && !/^\p{Lu}/u.test(first.text)) return isLedTo(answer, at, length);
  const isName = length > 1 || (isUpper(first.text) && first.text.length > 1);
  if (isName && !answer.isShouted) return true;
  const behind = text.slice(last.end);
  const isBracketed = QUOTED.test(text.charAt(first.start - 1)) && /^["”’'»*_)\]`]/u.test(behind);
  if (isBracketed || isLedTo(answer, at, length)) return true;
  // "R is the language". In "A is", the A is not an article either.
  return isLetter(first) && first.norm !== "i" && /^\s+(?:is|was)\b/.test(behind) && !hasOtherLabel(answer, first.text);
};

/** Whether a capital inside a sentence marks a label or a name: "written in C for speed". */
const isCapitalInside = (answer: LabelledText, [wanted]: readonly Word[], at: number): boolean => {
  const [before, word] = [answer.words[at - 1], answer.words[at]];
  if (!wanted || !word || !before || word.text !== wanted.text || !/^\p{Lu}/u.test(word.text) || word.norm === "i")
    return false;
  if (isLetter(word) && hasOtherLabel(answer, word.text)) return false;
  const isInside = !/[.!?:\n"“]/.test(answer.text.slice(before.end, word.start));
  return isInside && !answer.isShouted;
};

/** Where the answer states a reference that is a common word. */
export const findGivenWord = (answer: ReadText, alias: Alias): Occurrence[] => {
  const isLed = alias.words.length > 1 && ARTICLES.has(alias.words[0]?.norm ?? "");
  const wanted = isLed ? alias.words.slice(1) : alias.words;
  const text = withLabels(answer);
  const found: Occurrence[] = [];
  for (let at = 0; at < text.words.length && found.length < MAX_OCCURRENCES; at++) {
    if (!wanted.every(({ norm }, step) => text.norms[at + step] === norm)) continue;
    // "The Guess Who" is a different band from "The Who".
    if (isLed && text.words.length > wanted.length && !ARTICLES.has(text.norms[at - 1] ?? "")) continue;
    if (isGivenAt(text, wanted, at) || (wanted.length === 1 && isCapitalInside(text, wanted, at)))
      found.push({ at, length: wanted.length });
  }
  return found;
};
