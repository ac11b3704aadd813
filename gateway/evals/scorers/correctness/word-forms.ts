import { editDistance } from "../../../../lib/nearest";
import { withoutPrefix } from "../text/negation";
import { readSpelled, romanValue } from "../text/number-words";
import { isNameLike, isStopWord, readWords, STOP_WORDS, type Word, wordMap } from "../text/words";

const ORDINAL = /^(\d{1,9})(?:st|nd|rd|th)$/;
const DECIMAL = /^\d{1,15}\.\d{1,9}$/;
/** Roman numerals in acronyms: "WWII" is "WW2". */
const WITH_ROMAN = /^(\p{Lu}*(?![IVXLCDM])\p{Lu})(II|III|IV|VI{1,3}|IX)$|^(WW)I$/u;

/** The words of a text. The I and V of a name become numbers: "World War I", "Rocky V". */
export const readNames = (text: string): Word[] => {
  const words = readWords(text);
  return words.map((word, at) => {
    const before = words[at - 1];
    const value = word.text === "I" ? "1" : word.text === "V" ? "5" : undefined;
    if (!value || !before || !isNameLike(before) || isStopWord(before) || before.text.length < 2) return word;
    return text.slice(before.end, word.start) === " " ? { ...word, norm: value, stem: value } : word;
  });
};

/** The form in which words are compared: the stem, or a number in digits. "two", "second", "II" and "2" are "2". */
export const keyOf = (word: Word): string => {
  const ordinal = ORDINAL.exec(word.norm)?.[1];
  if (ordinal) return ordinal;
  if (DECIMAL.test(word.norm)) return String(Number(word.norm));
  const spelled = readSpelled([word], 0);
  if (spelled) return String(spelled.value);
  const roman = romanValue(word.text);
  if (roman !== undefined) return String(roman);
  const [, letters, ending, ww] = WITH_ROMAN.exec(word.text) ?? [];
  if (ww) return "ww1";
  return letters && ending ? `${letters.toLowerCase()}${romanValue(ending)}` : word.stem;
};

/** Countries and continents with their adjectives and nationalities, as `normaliseWord` returns them. */
const FAMILIES = `
  us usa states america american americans; uk kingdom britain british briton britons; england english; scotland scottish scots; wales welsh
  ireland irish; france french; germany german germans; netherlands dutch holland; spain spanish spaniard; italy italian italians
  portugal portuguese; greece greek greeks; turkey turkish turks; russia russian russians; poland polish poles
  sweden swedish swedes; norway norwegian norwegians; denmark danish danes; finland finnish finns; switzerland swiss
  austria austrian austrians; hungary hungarian hungarians; czechia czech czechs; romania romanian romanians; ukraine ukrainian
  china chinese; japan japanese; korea korean koreans; india indian indians; pakistan pakistani; philippines filipino filipinos philippine
  thailand thai; vietnam vietnamese; israel israeli israelis; egypt egyptian egyptians; iran iranian persian persia
  iraq iraqi; syria syrian; canada canadian canadians; mexico mexican mexicans; brazil brazilian brazilians
  argentina argentine argentinian; cuba cuban; peru peruvian; chile chilean; australia australian australians
  europe european europeans; africa african africans; asia asian asians; rome roman romans
`;

const FAMILY_OF = wordMap(
  FAMILIES.trim()
    .split(/[;\n]/)
    .map((names, family) => [names, family]),
);

/** The index of the word's family; undefined for most words. */
export const familyOf = (norm: string): number | undefined => FAMILY_OF.get(norm);

const sharedStart = (a: string, b: string): number => {
  let length = 0;
  while (length < a.length && a[length] === b[length]) length++;
  return length;
};

const MAX_COMPARED_LENGTH = 40;
const SPELLING_SLIP = 0.9;
const SAME_BEGINNING = 0.6;

/**
 * Similarity of two different words, 0…1: they are spelled almost the same ("Bennet", "Bennett") or begin the same
 * ("Britain", "British"). Numbers and names with symbols must match exactly.
 */
export const likeness = (a: string, b: string): number => {
  const [shorter, longer] = a.length <= b.length ? [a, b] : [b, a];
  // "invisible" is not "visible".
  if (longer !== shorter && withoutPrefix(longer) === shorter) return 0;
  if (shorter.length < 4 || longer.length > MAX_COMPARED_LENGTH || /[\p{N}+#*]/u.test(a + b)) return 0;
  const granted = shorter.length >= 9 ? 2 : shorter.length >= 5 ? 1 : 0;
  if (granted > 0 && editDistance(a, b, granted) <= granted) return SPELLING_SLIP;
  const start = sharedStart(shorter, longer);
  return start >= 4 && start >= 0.55 * longer.length ? SAME_BEGINNING : 0;
};

/** Maximum number of words that are compared by similarity. Later words must have the same form. */
const MAX_COMPARED = 3000;
/** Similarity of words such as "Britain" and "British". */
const SAME_FAMILY = 0.8;

/** Looks up the words of references in an answer. */
export class Vocabulary {
  readonly #forms = new Set<string>();
  readonly #families = new Set<number>();
  readonly #byInitial = new Map<string, string[]>();
  readonly #found = new Map<string, number>();

  constructor(words: readonly Word[]) {
    for (const word of words) {
      if (!this.#forms.has(word.norm) && this.#forms.size < MAX_COMPARED) this.#add(word.norm);
      this.#forms.add(word.norm);
      this.#forms.add(word.stem);
      this.#forms.add(keyOf(word));
      const family = familyOf(word.norm);
      if (family !== undefined) this.#families.add(family);
    }
  }

  /** How well the text matches this word, 0…1: 1 for the same form or stem, less for a similar word. */
  find(word: Word): number {
    const known = this.#found.get(word.text);
    if (known !== undefined) return known;
    const found = this.#look(word);
    this.#found.set(word.text, found);
    return found;
  }

  #look(word: Word): number {
    const { norm, stem } = word;
    if (this.#forms.has(norm) || this.#forms.has(stem) || this.#forms.has(keyOf(word))) return 1;
    const family = familyOf(norm);
    let best = family !== undefined && this.#families.has(family) ? SAME_FAMILY : 0;
    for (const other of this.#byInitial.get(norm.charAt(0)) ?? []) best = Math.max(best, likeness(norm, other));
    return best;
  }

  #add(norm: string): void {
    const initial = norm.charAt(0);
    const words = this.#byInitial.get(initial);
    if (words) words.push(norm);
    else this.#byInitial.set(initial, [norm]);
  }
}

const CAPITALS = /^[\p{Lu}\p{Nd}]{2,8}$/u;
/** Maximum number of words in a name whose initials are compared. */
const MAX_NAME_WORDS = 10;

/** Words in capitals that are seldom the initials of a name. */
const OTHER_CAPITALS = new Set(["ok", "tv", "am", "pm", "it", "no", "or", "in", "at", "id"]);

/** Whether a word is an acronym: "NASA", "F.B.I.", "EU". */
const isAcronym = ({ text, norm }: Word): boolean =>
  CAPITALS.test(text.replace(/[.\s]/g, "")) && !OTHER_CAPITALS.has(norm);

/** The initials of a name. Numbers are kept: "WW2" for "World War II". */
const initials = (words: readonly Word[]): string =>
  words.map((word) => (/^\d+$/.test(keyOf(word)) ? keyOf(word) : word.norm.charAt(0))).join("");

/** A name's initials, with and without its small words. If that leaves fewer than three, only those of all words. */
const acronymsOf = (words: readonly Word[]): string[] => {
  if (words.length > MAX_NAME_WORDS || !words.some(({ text }) => /^\p{Lu}/u.test(text))) return [];
  const large = words.filter(({ norm }) => !STOP_WORDS.has(norm));
  const isPair = words.length === 2 && words.every(({ text }) => /^\p{Lu}\p{Ll}/u.test(text));
  return [initials(words), initials(large)].filter((letters) => letters.length >= 3 || isPair);
};

/** Where the answer contains a name's initials, or the name for given initials; undefined if it contains neither. */
export const acronymPlace = (
  answer: readonly Word[],
  name: readonly Word[],
): { at: number; length: number } | undefined => {
  const letters = acronymsOf(name);
  const short = letters.length > 0 ? answer.findIndex((word) => letters.includes(keyOf(word)) && isAcronym(word)) : -1;
  if (short >= 0) return { at: short, length: 1 };
  const [only] = name;
  if (!only || name.length > 1 || !isAcronym(only)) return undefined;
  const key = keyOf(only);
  for (let length = key.length; length <= key.length + 2; length++) {
    for (let at = 0; at + length <= answer.length; at++) {
      if (answer[at]?.norm.charAt(0) !== only.norm.charAt(0)) continue;
      const words = answer.slice(at, at + length);
      const isName = /^[\p{Lu}\p{Nd}]/u.test(words.at(-1)?.text ?? "") && /^\p{Lu}/u.test(words[0]?.text ?? "");
      if (isName && acronymsOf(words).includes(key)) return { at, length };
    }
  }
  return undefined;
};
