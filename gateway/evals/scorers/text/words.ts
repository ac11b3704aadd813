import { stemOf } from "./stem";
import { STOP_WORDS } from "./stop-words";

/** A word or number of a text. */
export interface Word {
  /** As it stands in the text. */
  text: string;
  /** Compatibility forms, case, diacritics, apostrophes and thousands separators evened out. */
  norm: string;
  stem: string;
  /** UTF-16 offsets. */
  start: number;
  end: number;
}

/**
 * Digits with separators; a character of a script that puts no spaces between words; else letters, digits and marks with
 * apostrophes inside. Superscripts are none of them: they are mostly notes ("2014⁹").
 */
const WORD =
  /\p{Nd}{1,3}(?:,\p{Nd}{3})+(?:\.\p{Nd}+)?(?![\p{L}\p{Nd}])|\p{Nd}+\.\p{Nd}+(?![\p{L}\p{Nd}]|\.\p{Nd})|[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]\p{M}*|(?:(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}])[\p{L}\p{M}\p{Nd}\p{Nl}])+(?:['’ʼ`](?=\p{L})(?:(?![\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}])[\p{L}\p{M}])+)*/gu;

const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  ø: "o",
  æ: "ae",
  œ: "oe",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
};

/** One word evened out: "Beyoncé’s" and "BEYONCE" are "beyonce", "1,000" is "1000". */
export const normaliseWord = (word: string): string => {
  const plain = word.normalize("NFKC").toLowerCase();
  if (/^\p{Nd}/u.test(plain)) return plain.replaceAll(",", "");
  return plain
    .replace(/['’ʼ`]s$/u, "")
    .replace(/['’ʼ`]/gu, "")
    .normalize("NFD")
    .replace(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .replace(/[ßøæœłđðþı]/g, (letter) => LETTERS[letter] ?? letter);
};

const toWord = (text: string, start: number): Word => {
  const norm = normaliseWord(text);
  return { text, norm, stem: stemOf(norm), start, end: start + text.length };
};

/** "drunk1": a note's number that stuck to a word. */
const LONGEST_WITH_NOTE = 40;
const WITH_NOTE = /^(\p{Ll}*\p{L}\p{Ll}{2,})(\p{Nd}{1,2})$/u;

const INITIAL = /^\p{Lu}$/u;
/** Initials that are joined at most. */
const MOST_INITIALS = 10;
const BETWEEN_INITIALS = /^\.\s{0,2}$/;

/** Runs of initials become one word: "P. V.", "P.V." are "pv". */
const joinInitials = (words: readonly Word[], source: string): Word[] => {
  const joined: Word[] = [];
  let isOpen = false;
  for (const word of words) {
    const last = joined.at(-1);
    const isInitial = INITIAL.test(word.text);
    if (
      last &&
      isOpen &&
      isInitial &&
      last.norm.length < MOST_INITIALS &&
      BETWEEN_INITIALS.test(source.slice(last.end, word.start))
    ) {
      joined[joined.length - 1] = {
        ...toWord(source.slice(last.start, word.end), last.start),
        norm: last.norm + word.norm,
        stem: last.norm + word.norm,
      };
    } else joined.push(word);
    isOpen = isInitial;
  }
  return joined;
};

/** The words of a text in any script, in order. Linear in the text's length. */
export const readWords = (text: string): Word[] => {
  const words: Word[] = [];
  for (const match of text.matchAll(WORD)) {
    const note = match[0].length <= LONGEST_WITH_NOTE ? WITH_NOTE.exec(match[0]) : null;
    words.push(toWord(note?.[1] ?? match[0], match.index));
  }
  return joinInitials(words, text);
};

export const isStopWord = ({ norm }: Word): boolean => STOP_WORDS.has(norm);

/** Without stop words; all words where nothing else is left ("The Who"). */
export const contentWords = (words: readonly Word[]): Word[] => {
  const content = words.filter((word) => !isStopWord(word));
  return content.length > 0 ? content : [...words];
};

/** Begins with a capital letter, or is a number. */
export const isNameLike = ({ text }: Word): boolean => /^[\p{Lu}\p{Lt}\p{Nd}]/u.test(text);
